/** What happened to providers and data keys, as triggers wrote it down. Nothing here writes. */
import type { ProviderIdentity } from '../protocol/identity.js';
import { checkProviderName, checkProviderType, checkWorkspaceId } from '../protocol/names.js';
import { call } from './calls.js';
import type { Database } from './pool.js';

/** One line of the audit. */
export interface ProviderEvent {
  /** Grows with time; numbers of transactions that were rolled back are missing. */
  readonly eventId: string;
  readonly at: Date;
  readonly workspaceId: string;
  /** Absent: it is about the workspace's data keys. */
  readonly provider?: ProviderIdentity;
  readonly version?: number;
  /** `created`, `changed`, `disabled`, `rotation-activated`, `credential-unreadable`, …: `docs/data.md`. */
  readonly event: string;
  /** Who, or what, did or found it, as they say themselves; where they did not, the login. */
  readonly actor: string;
  /** Names and counts, never a secret. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Of the rotation that did it, or of the step that found it. */
  readonly workflowId?: string;
  /** Of the session, as Postgres knows it. Absent before there was such a column. */
  readonly login?: string;
  /** What the session calls itself. */
  readonly application?: string;
  /** Where the session came from: a pooler's, behind one; absent by a local socket. */
  readonly clientAddress?: string;
}

/** Each throws ProviderError `StoreUnavailable`, and `ProviderConfigInvalid` for a name that does not fit. */
export interface ProviderAudit {
  /**
   * What happened, the newest first.
   *
   * @param of - what is absent does not matter: without a type and a name, the workspace's data keys too
   * @param limit - default 50
   */
  listEvents(of?: Partial<ProviderIdentity>, limit?: number): Promise<readonly ProviderEvent[]>;
}

export function providerAudit(database: Database): ProviderAudit {
  return {
    async listEvents({ workspaceId, type, name } = {}, limit = 50) {
      const values = [
        workspaceId === undefined ? null : checkWorkspaceId(workspaceId),
        limit,
        type === undefined ? null : checkProviderType(type),
        name === undefined ? null : checkProviderName(name),
      ];
      return (await database.query<EventColumns>(LIST_EVENTS, values)).map(toEvent);
    },
  };
}

const LIST_EVENTS = call('list_provider_events', 4);

interface EventColumns {
  readonly event_id: string;
  readonly at: Date;
  readonly workspace_id: string;
  readonly provider_type: string | null;
  readonly provider_name: string | null;
  readonly version: string | null;
  readonly event: string;
  readonly actor: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly workflow_id: string | null;
  readonly login: string | null;
  readonly application: string | null;
  readonly client_address: string | null;
}

function toEvent(row: EventColumns): ProviderEvent {
  const { workspace_id: workspaceId, provider_type: type, provider_name: name, version } = row;
  return {
    eventId: row.event_id,
    at: row.at,
    workspaceId,
    ...(type !== null && name !== null && { provider: { workspaceId, type, name } }),
    ...(version !== null && { version: Number(version) }),
    event: row.event,
    actor: row.actor,
    details: row.details,
    workflowId: row.workflow_id ?? undefined,
    login: row.login ?? undefined,
    application: row.application || undefined,
    clientAddress: row.client_address ?? undefined,
  };
}
