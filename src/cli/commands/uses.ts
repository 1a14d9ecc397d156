import type { Command } from 'commander';
import { checkIdentity, describeProvider } from '../../protocol/names.js';
import type { ProviderUses } from '../../store/audit-store.js';
import { UsageError } from '../failure.js';
import { line, minute, type Output, table } from '../output.js';
import { parseTime } from '../time.js';
import { parseWholeNumber } from '../whole-number.js';
import { withClient } from '../with-client.js';

const MAX_VERSION = 999_999_999_999_999;

interface UsesOptions {
  readonly ofVersion?: string;
  readonly from?: string;
  readonly to?: string;
}

const AFTER_HELP = `
Examples:
  $ workspace-providers uses ws_acme llm anthropic
  which workflows used version 3 between these times:
  $ workspace-providers uses ws_acme llm anthropic --of-version 3 \\
      --from 2026-03-01T12:00Z --to 2026-03-01T18:30Z`;

export function addUses(program: Command, output: Output): void {
  program
    .command('uses <workspace> <type> <name>')
    .summary('which workflows used a credential, and when')
    .description(
      'Lists the workflows whose steps were handed a credential, by version: how often, in which minute first and last. ' +
        'The last user comes first, 1,000 at most. What was used within the last minute may be missing.',
    )
    .option('--of-version <version>', "that version alone; 0 is the platform's own credential")
    .option('--from <time>', 'from that minute on: 2026-03-01T12:00Z, or a day')
    .option('--to <time>', 'up to that minute')
    .addHelpText('after', AFTER_HELP)
    .action(async (workspaceId: string, type: string, name: string, options: UsesOptions) => {
      const provider = checkIdentity({ workspaceId, type, name });
      const which = readOptions(options);
      const uses = await withClient((client) => client.audit.listUses({ provider, ...which }));
      const none = line('unsure', 'empty', [describeProvider(provider), 'no use is known']);
      output.result({ ...provider, uses }, uses.length > 0 ? table(uses.map(toRow)) : [none]);
    });
}

/** @throws UsageError */
function readOptions({ ofVersion, from, to }: UsesOptions) {
  const which = {
    version: ofVersion === undefined ? undefined : parseWholeNumber('--of-version', ofVersion, MAX_VERSION),
    from: from === undefined ? undefined : parseTime('--from', from),
    to: to === undefined ? undefined : parseTime('--to', to),
  };
  if (which.from && which.to && which.from > which.to) throw new UsageError('--from must not be later than --to');
  return which;
}

function toRow({ version, workflowType, workflowId, count, firstUsedAt, lastUsedAt }: ProviderUses): string[] {
  return [
    `version ${version}`,
    workflowType ?? '',
    workflowId ?? 'no workflow',
    count === 1 ? 'once' : `${count} times`,
    minute(firstUsedAt),
    minute(lastUsedAt),
  ];
}
