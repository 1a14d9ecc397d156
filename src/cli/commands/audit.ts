import type { Command } from 'commander';
import type { ProviderEvent } from '../../store/audit-store.js';
import { parseWholeNumber } from '../arguments.js';
import { withClient } from '../connections.js';
import { line, minute, type Output, table } from '../terminal/output.js';

const DEFAULT_EVENTS = 50;
const MAX_EVENTS = 10_000;

export function addAudit(program: Command, output: Output): void {
  program
    .command('audit [workspace] [type] [name]')
    .summary('list what was changed, by whom and from where')
    .description(
      'Lists the events of providers and data keys, the newest first: of one provider, one type, one workspace, or ' +
        'all. The actor is the name that the caller gave; the login and the address are those that Postgres saw.',
    )
    .option('--limit <count>', `the number of events, up to ${MAX_EVENTS} (default: ${DEFAULT_EVENTS})`)
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
