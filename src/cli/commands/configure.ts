import type { Command } from 'commander';
import { loadEnvFiles } from '../../config/env-files.js';
import type { WrittenProvider } from '../../management/provider-inputs.js';
import { isProviderError } from '../../protocol/errors.js';
import { checkIdentity, describeProvider } from '../../protocol/names.js';
import { ProviderTypes } from '../../providers/provider-types.js';
import { parseAssignments } from '../assignments.js';
import { commandTypes, withClient } from '../connections.js';
import { fenceChange, NO_WAIT } from '../fence-change.js';
import { describeShown, line, type Output } from '../terminal/output.js';
import { readSecret } from '../terminal/prompts.js';

interface ConfigureOptions {
  readonly set?: readonly string[];
  readonly secretEnv?: string;
  readonly wait: boolean;
}

/** Lists the types that the environment has, when the help is shown. */
function afterHelp(): string {
  const [types, note] = knownTypes();
  return `
The secret is read from stdin, from a prompt if stdin is a terminal, or from the
variable that --secret-env names; never from an argument. Plain text fills the
type's first secret field, a JSON object fills several.

${types.describe().join('\n')}

${note}

Examples:
  $ workspace-providers configure ws_acme llm anthropic < key
  $ workspace-providers configure ws_acme llm mistral \\
      --set baseURL=https://api.mistral.ai/v1 --secret-env MISTRAL_KEY
  $ workspace-providers configure ws_acme http weather \\
      --set baseURL=https://api.weather.example --set auth=header:X-Api-Key < key
  $ workspace-providers configure ws_acme tenderly default \\
      --set account=acme --set project=agents < access-key
  $ workspace-providers configure ws_acme rpc mainnet --set chainId=1 < url`;
}

function knownTypes(): readonly [types: ProviderTypes, note: string] {
  const { builtIn } = ProviderTypes;
  try {
    const types = commandTypes();
    if (types !== builtIn) return [types, 'The types of PROVIDER_TYPES are among these.'];
    return [types, 'PROVIDER_TYPES names a module with types of your own: docs/provider-types.md.'];
  } catch (error) {
    if (!isProviderError(error)) throw error;
    return [builtIn, `Types of your own are missing here: ${error.message}.`];
  }
}

export function addConfigure(program: Command, output: Output): void {
  program
    .command('configure <workspace> <type> <name>')
    .summary('store a provider, or replace an existing one')
    .description(
      'Stores a provider of a workspace with its secret sealed, or replaces the config and secret of an existing ' +
        'one. Waits until no worker serves the older version. To replace a credential that is in use, prefer ' +
        '"rotate".',
    )
    .option('--set <key=value>', 'a field of the public config; may be repeated', collect)
    .option('--secret-env <variable>', 'the environment variable that holds the secret')
    .option(...NO_WAIT)
    .addHelpText('after', ({ command }) => {
      loadEnvFiles(command.optsWithGlobals<{ envFile?: string[] }>().envFile ?? []);
      return afterHelp();
    })
    .action(
      async (workspaceId: string, type: string, name: string, { set = [], secretEnv, wait }: ConfigureOptions) => {
        const identity = checkIdentity({ workspaceId, type, name });
        const providerType = commandTypes().get(type);
        const { primarySecret } = providerType;
        const config = parseAssignments(providerType, name, set);
        await withClient(async (client) => {
          const question = `${primarySecret} for ${describeProvider(identity)}`;
          const secret = await readSecret({ primarySecret, variable: secretEnv, question });
          await fenceChange<WrittenProvider>(output, {
            run: (options) => client.configureProvider({ ...identity, config, secret }, options),
            document: ({ fence, ...written }) => written,
            line: ({ version, shown }) =>
              line('ok', 'configured', [describeProvider(identity), `version ${version}`, describeShown(shown)]),
            fenced: 'no worker has served the older version',
            wait,
          });
        });
      },
    );
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}
