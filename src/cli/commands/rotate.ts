import type { Command } from 'commander';
import type { RotateInput } from '../../client/rotation-client.js';
import type { ProviderIdentity } from '../../protocol/identity.js';
import { checkIdentity, describeProvider } from '../../protocol/names.js';
import { providerType } from '../../providers/index.js';
import { parseDuration } from '../duration.js';
import { UsageError } from '../failure.js';
import { line, type Output } from '../output.js';
import { requestedBy } from '../requested-by.js';
import { readSecret } from '../secret-input.js';
import { withClient } from '../with-client.js';
import { withTemporal } from '../with-temporal.js';

interface RotateOptions {
  readonly issue?: boolean;
  readonly secretEnv?: string;
  readonly overlap?: string;
  readonly drainLimit?: string;
  readonly acceptUnchecked?: boolean;
  readonly wait: boolean;
}

const DAY_MS = 86_400_000;
const LONGEST_OVERLAP_MS = 30 * DAY_MS;

const AFTER_HELP = `
Stages: checked, activated, fenced (no worker serves the older credential),
drained (no running step holds it), revoked. A check that fails changes nothing.
Ctrl-C leaves the rotation running; "rotations" tells how it ends.

The next credential is read as "configure" reads it: from stdin, asked for where
stdin is a terminal, or from the variable that --secret-env names. --issue wants
an admin credential of the workspace: see llm-admin in "configure --help".

Rotations run in a worker that has PROVIDER_MANAGER_DATABASE_URL.

Examples:
  $ workspace-providers rotate ws_acme llm anthropic < next-key
  $ workspace-providers rotate ws_acme llm openai --issue --overlap 24h
  a key that leaked, without mercy for the steps that hold it:
  $ workspace-providers rotate ws_acme llm openai --issue --drain-limit 0`;

export function addRotate(program: Command, output: Output): void {
  program
    .command('rotate <workspace> <type> <name>')
    .summary('replace a credential while workflows run, and revoke the older one')
    .description(
      "Replaces a provider's credential while workflows run, and shows each stage: once it says fenced, no worker serves " +
        'the older one. What a person must do at the service stands in the last line.',
    )
    .option('--issue', 'have the service make the next credential')
    .option('--secret-env <variable>', 'the environment variable that holds the next secret')
    .option('--overlap <duration>', 'how long both stay valid, to roll back in: 30m, 24h (default: 0)')
    .option(
      '--drain-limit <duration>',
      'how long to wait for steps that hold the older one; 0 for a leaked key (default: 15m)',
    )
    .option('--accept-unchecked', 'activate also where the service cannot tell whether it takes the next one')
    .option('--no-wait', 'start it, and leave')
    .addHelpText('after', AFTER_HELP)
    .action(async (workspaceId: string, type: string, name: string, options: RotateOptions) => {
      const provider = checkIdentity({ workspaceId, type, name });
      const limits = readLimits(options);
      await withClient((providers) =>
        withTemporal(async ({ client: temporal, operationsTaskQueue }) => {
          const { RotationClient } = await import('../../client/rotation-client.js');
          const { followRotation } = await import('../follow-rotation.js');
          const rotations = new RotationClient(providers, temporal, operationsTaskQueue);
          const secret = options.issue ? undefined : await readNext(provider, options.secretEnv);
          const handle = await rotations.rotate({ provider, ...limits, secret, requestedBy: requestedBy() });
          if (options.wait) return followRotation(handle, { temporal, output, provider });
          const facts = [describeProvider(provider), `workspace-providers rotations ${workspaceId} tells how it ends`];
          return output.result({ provider, workflowId: handle.workflowId }, [line('ok', 'started', facts)]);
        }),
      );
    });
}

/** @throws UsageError */
function readLimits(options: RotateOptions): Omit<RotateInput, 'provider' | 'secret' | 'requestedBy'> {
  const { issue, secretEnv, overlap, drainLimit, acceptUnchecked } = options;
  if (issue && secretEnv !== undefined) throw new UsageError('either --issue or --secret-env, not both');
  return {
    acceptUnchecked,
    ...(overlap !== undefined && { overlapMs: parseDuration('--overlap', overlap, LONGEST_OVERLAP_MS) }),
    ...(drainLimit !== undefined && { drainLimitMs: parseDuration('--drain-limit', drainLimit, DAY_MS) }),
  };
}

function readNext(provider: ProviderIdentity, variable: string | undefined): Promise<Record<string, unknown>> {
  const { primarySecret } = providerType(provider.type);
  return readSecret({ primarySecret, variable, question: `next ${primarySecret} for ${describeProvider(provider)}` });
}
