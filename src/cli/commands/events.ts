import type { Command } from 'commander';
import type { ProviderEvent } from '../../store/audit-store.js';
import { line, minute, type Output, table } from '../output.js';
import { parseWholeNumber } from '../whole-number.js';
import { withClient } from '../with-client.js';

const DEFAULT_EVENTS = 50;
const MAX_EVENTS = 10_000;

export function addEvents(program: Command, output: Output): void {
  program
    .command('events [workspace] [type] [name]')
    .summary('the audit: what was changed, by whom, from where')
    .description(
      'Lists what happened to providers and data keys, the newest first: of one provider, of those of a type, of a ' +
        'workspace, or of all. Who acted is as they say themselves; the login and the address are as Postgres knows them.',
    )
    .option('--limit <count>', `how many at most, up to ${MAX_EVENTS} (default: ${DEFAULT_EVENTS})`)
    .action(async (workspaceId?: string, type?: string, name?: string, options: { readonly limit?: string } = {}) => {
      const limit = parseWholeNumber('--limit', options.limit ?? `${DEFAULT_EVENTS}`, MAX_EVENTS);
      const of = { workspaceId, type, name };
      const events = await withClient((client) => client.audit.listEvents(of, limit));
      const none = line('unsure', 'empty', [workspaceId && `of ${workspaceId}`, 'nothing happened']);
      output.result({ ...of, events }, events.length > 0 ? table(events.map(toRow)) : [none]);
    });
}

function toRow({ at, workspaceId, provider, event, version, actor, ...how }: ProviderEvent): string[] {
  const { login, clientAddress, workflowId, details } = how;
  const changed = Array.isArray(details.changed) ? details.changed.join(', ') : '';
  return [
    minute(at),
    workspaceId,
    provider ? `${provider.type}/${provider.name}` : '',
    event,
    version === undefined ? '' : `version ${version}`,
    changed,
    actor,
    login === undefined ? '' : `as ${login}${clientAddress === undefined ? '' : ` from ${clientAddress}`}`,
    workflowId ?? '',
  ];
}
