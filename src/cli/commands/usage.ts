import type { Command } from 'commander';
import { checkIdentity, describeProvider } from '../../protocol/names.js';
import type { UsageEntry } from '../../store/audit-store.js';
import { parseTime, parseWholeNumber } from '../arguments.js';
import { withClient } from '../connections.js';
import { UsageError } from '../failure.js';
import { line, minute, type Output, table } from '../terminal/output.js';

const MAX_VERSION = 999_999_999_999_999;

interface UsageOptions {
  readonly versionNumber?: string;
  readonly from?: string;
  readonly to?: string;
}

const AFTER_HELP = `
Examples:
  $ workspace-providers usage ws_acme llm anthropic
  list the workflows that used version 3 between these times:
  $ workspace-providers usage ws_acme llm anthropic --version-number 3 \\
      --from 2026-03-01T12:00Z --to 2026-03-01T18:30Z`;

export function addUsage(program: Command, output: Output): void {
  program
    .command('usage <workspace> <type> <name>')
    .summary('list the workflows that used a credential, and when')
    .description(
      'Lists the workflows whose steps received a credential, by version: how often, and the first and last minute. ' +
        'The most recent workflow comes first; at most 1,000 are listed. Uses of the last minute may be missing.',
    )
    .option('--version-number <version>', "only this version; 0 is the platform's own credential")
    .option('--from <time>', 'only from this minute on: 2026-03-01T12:00Z, or a day')
    .option('--to <time>', 'only up to this minute')
    .addHelpText('after', AFTER_HELP)
    .action(async (workspaceId: string, type: string, name: string, options: UsageOptions) => {
      const provider = checkIdentity({ workspaceId, type, name });
      const which = readOptions(options);
      const usage = await withClient((client) => client.audit.listUsage({ ...provider, ...which }));
      const none = line('unsure', 'empty', [describeProvider(provider), 'no use is recorded']);
      output.result({ ...provider, usage }, usage.length > 0 ? table(usage.map(toRow)) : [none]);
    });
}

/** @throws UsageError */
function readOptions({ versionNumber, from, to }: UsageOptions) {
  const which = {
    ...(versionNumber !== undefined && { version: parseWholeNumber('--version-number', versionNumber, MAX_VERSION) }),
    ...(from !== undefined && { from: parseTime('--from', from) }),
    ...(to !== undefined && { to: parseTime('--to', to) }),
  };
  if (which.from && which.to && which.from > which.to) throw new UsageError('--from must not be later than --to');
  return which;
}

function toRow({ version, workflowType, workflowId, count, firstUsedAt, lastUsedAt }: UsageEntry): string[] {
  return [
    `version ${version}`,
    workflowType ?? '',
    workflowId ?? 'no workflow',
    count === 1 ? 'once' : `${count} times`,
    minute(firstUsedAt),
    minute(lastUsedAt),
  ];
}
