import type { Command } from 'commander';
import { checkIdentity, describeProvider } from '../../protocol/names.js';
import { providerType } from '../../providers/index.js';
import { parseAssignments } from '../assignments.js';
import { fenceChange, NO_WAIT } from '../fence-change.js';
import { describeShown, line, type Output } from '../output.js';
import { readSecret } from '../secret-input.js';
import { withClient } from '../with-client.js';

interface ConfigureOptions {
  readonly set?: readonly string[];
  readonly secretEnv?: string;
  readonly wait: boolean;
}

const AFTER_HELP = `
The secret is read from stdin, asked for where stdin is a terminal, or taken
from the variable that --secret-env names; never from an argument. A bare text
fills the type's first secret field, a JSON object fills several.

  llm       named anthropic, openai, gemini, or anything that has a baseURL
            secret: apiKey
            config: baseURL, model; for openai organization, project
  llm-admin named anthropic or openai; makes and revokes the keys of that llm
            secret: adminKey
            config: baseURL; for openai project
  tenderly  named default
            secret: accessKey, nodeAccessKey
            config: account, project, baseURL
  rpc       named as you like, several endpoints a chain
            secret: url, headers
            config: chainId, priority

Examples:
  $ workspace-providers configure ws_acme llm anthropic < key
  $ workspace-providers configure ws_acme llm mistral \\
      --set baseURL=https://api.mistral.ai/v1 --secret-env MISTRAL_KEY
  $ workspace-providers configure ws_acme tenderly default \\
      --set account=acme --set project=agents < access-key
  $ workspace-providers configure ws_acme rpc mainnet --set chainId=1 < url`;

export function addConfigure(program: Command, output: Output): void {
  program
    .command('configure <workspace> <type> <name>')
    .summary('store a provider, or replace the one that is there')
    .description(
      'Stores a provider of a workspace, its secret sealed; or replaces config and secret of the one there, and waits ' +
        'until no worker serves what was before. To replace a credential that is in use, "rotate" does more.',
    )
    .option('--set <key=value>', 'a field of the public config; may be repeated', collect)
    .option('--secret-env <variable>', 'the environment variable that holds the secret')
    .option(...NO_WAIT)
    .addHelpText('after', AFTER_HELP)
    .action(
      async (workspaceId: string, type: string, name: string, { set = [], secretEnv, wait }: ConfigureOptions) => {
        const identity = checkIdentity({ workspaceId, type, name });
        const { primarySecret } = providerType(type);
        const config = parseAssignments(type, name, set);
        await withClient(async (client) => {
          const question = `${primarySecret} for ${describeProvider(identity)}`;
          const secret = await readSecret({ primarySecret, variable: secretEnv, question });
          const written = await client.configureProvider({ ...identity, config, secret });
          const facts = [describeProvider(written), `version ${written.version}`, describeShown(written.shown)];
          const configured = line('ok', 'configured', facts);
          const fenced = 'no worker serves what was before';
          await fenceChange(client, output, { document: written, line: configured, fenced, wait });
        });
      },
    );
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}
