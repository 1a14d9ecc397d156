import type { Command } from 'commander';
import type { RotateInput } from '../../client/rotation-client.js';
import { DURATION_RULE, type Duration, parseDuration } from '../../config/duration.js';
import { checkIdentity, describeProvider } from '../../protocol/names.js';
import type { ProviderIdentity } from '../../protocol/references.js';
import { commandTypes, withClient, withTemporal } from '../connections.js';
import { UsageError } from '../failure.js';
import { line, type Output } from '../terminal/output.js';
import { readSecret } from '../terminal/prompts.js';

interface RotateOptions {
  readonly issue?: boolean;
  readonly secretEnv?: string;
  readonly overlap?: string;
  readonly drainLimit?: string;
  readonly acceptUnchecked?: boolean;
  readonly whenDue?: boolean;
  readonly wait: boolean;
}

const AFTER_HELP = `
Stages: checked, activated, fenced (no worker serves the older credential),
drained (no running step holds it), revoked. A check that fails changes nothing.
Ctrl-C leaves the rotation running; "rotations" shows how it ends.

The next credential is read as "configure" reads it: from stdin, from a prompt
if stdin is a terminal, or from the variable that --secret-env names. --issue
needs an admin credential of the workspace: see llm-admin in "configure --help".

Rotations run in a worker that has PROVIDER_MANAGER_DATABASE_URL.

Examples:
  $ workspace-providers rotate ws_acme llm anthropic < next-key
  $ workspace-providers rotate ws_acme llm openai --issue --overlap 24h
  replace a leaked key, without waiting for the steps that hold it:
  $ workspace-providers rotate ws_acme llm openai --issue --drain-limit 0
  store a key that the schedule rotate-due uses when the rotation is due:
  $ workspace-providers rotate ws_acme llm anthropic --when-due < next-key`;

export function addRotate(program: Command, output: Output): void {
  program
    .command('rotate <workspace> <type> <name>')
    .summary('replace a credential while workflows run, and revoke the older one')
    .description(
      "Replaces a provider's credential while workflows run, and shows each stage: after the stage fenced, no worker " +
        'serves the older one. The last line shows what you must still do at the service.',
    )
    .option('--issue', 'have the service issue the next credential')
    .option('--secret-env <variable>', 'the environment variable that holds the next secret')
    .option('--overlap <duration>', 'how long both credentials stay valid, for a rollback: 30m, 24h (default: 0)')
    .option(
      '--drain-limit <duration>',
      'how long to wait for steps that hold the older credential; 0 for a leaked key (default: 15m)',
    )
    .option('--accept-unchecked', 'activate the next credential even if the service cannot tell whether it works')
    .option(
      '--when-due',
      'only store the next credential, until the schedule rotate-due uses it; void if the provider is changed before',
    )
    .option('--no-wait', 'start the rotation, and do not follow it')
    .addHelpText('after', AFTER_HELP)
    .action(async (workspaceId: string, type: string, name: string, options: RotateOptions) => {
      const provider = checkIdentity({ workspaceId, type, name });
      const limits = readLimits(options);
      await withClient(async (providers) => {
        if (options.whenDue) {
          const rotationId = await providers.stageRotation({ ...provider, secret: await readNext(provider, options) });
          const facts = [describeProvider(provider), 'the schedule rotate-due uses it when the rotation is due'];
          return output.result({ ...provider, rotationId }, [line('ok', 'staged', facts)]);
        }
        await withTemporal(async ({ client: temporal, operationsTaskQueue }) => {
          const { RotationClient } = await import('../../client/rotation-client.js');
          const { followRotation } = await import('../follow-rotation.js');
          const rotations = new RotationClient(providers, temporal, operationsTaskQueue);
          const secret = options.issue ? undefined : await readNext(provider, options);
          const handle = await rotations.rotate({ ...provider, ...limits, ...(secret && { secret }) });
          if (options.wait) return followRotation(handle, { temporal, output, provider });
          const facts = [describeProvider(provider), `workspace-providers rotations ${workspaceId} shows how it ends`];
          output.result({ ...provider, workflowId: handle.workflowId }, [line('ok', 'started', facts)]);
        });
      });
    });
}

/** @throws UsageError */
function readLimits(options: RotateOptions): Omit<RotateInput, keyof ProviderIdentity | 'secret'> {
  const { issue, secretEnv, whenDue, overlap, drainLimit, acceptUnchecked } = options;
  if (issue && secretEnv !== undefined)
    throw new UsageError('--issue and --secret-env exclude each other: use one of them');
  if (whenDue && (issue || overlap !== undefined || drainLimit !== undefined || acceptUnchecked)) {
    throw new UsageError('--when-due only stores the next credential: combine it only with --secret-env');
  }
  return {
    ...(acceptUnchecked && { acceptUnchecked }),
    ...(overlap !== undefined && { overlap: readDuration('--overlap', overlap) }),
    ...(drainLimit !== undefined && { drainLimit: readDuration('--drain-limit', drainLimit) }),
  };
}

/** @throws UsageError */
function readDuration(option: string, text: string): Duration {
  if (parseDuration(text) !== undefined) return text as Duration;
  throw new UsageError(`${option} must be ${DURATION_RULE}`);
}

function readNext(provider: ProviderIdentity, { secretEnv }: RotateOptions): Promise<Record<string, unknown>> {
  const { primarySecret } = commandTypes().get(provider.type);
  const question = `next ${primarySecret} for ${describeProvider(provider)}`;
  return readSecret({ primarySecret, variable: secretEnv, question });
}
