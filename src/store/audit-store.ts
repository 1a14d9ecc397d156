import { checkProviderName, checkProviderType, checkWorkspaceId } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { call, change, keyOf } from './calls.js';
import type { Database } from './pool.js';

/** One event of the audit. */
export interface ProviderEvent {
  /** Grows with time. The numbers of transactions that were rolled back are missing. */
  readonly eventId: string;
  readonly at: Date;
  readonly workspaceId: string;
  /** Absent if the event is about the workspace's data keys. */
  readonly provider?: ProviderIdentity;
  readonly version?: number;
  /** `created`, `changed`, `disabled`, `rotation-activated`, `credential-unreadable`, …: `docs/data.md`. */
  readonly event: string;
  /** Who or what caused or found it, as the caller states it. If the caller states nothing, the login. */
  readonly actor: string;
  /** Names and counts, never a secret. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The workflow of the rotation that caused it, or of the step that found it. */
  readonly workflowId?: string;
  /** The session's login, as Postgres knows it. */
  readonly login?: string;
  /** The session's `application_name`. */
  readonly application?: string;
  /** The address of the session's client; behind a pooler, the pooler's. Absent for a local socket. */
  readonly clientAddress?: string;
}

/** Selects uses of a provider. `from` and `to` are rounded to the minutes that contain them, which are included. */
export interface UsageInput extends ProviderIdentity {
  /** Default: any version. 0 is the platform's credential, used as a fallback. */
  readonly version?: number;
  /** Default: from the first use. */
  readonly from?: Date;
  /** Default: to the last use. */
  readonly to?: Date;
  /** Default: 1,000. */
  readonly limit?: number;
}

/** How often the steps of one workflow were given one version. */
export interface UsageEntry {
  readonly version: number;
  /** Absent, like the id, if the step belonged to no workflow. */
  readonly workflowType?: string;
  readonly workflowId?: string;
  readonly count: number;
  /** The minute, by the worker's clock. */
  readonly firstUsedAt: Date;
  readonly lastUsedAt: Date;
}

/** Each method throws ProviderError `StoreUnavailable`, and `ProviderConfigInvalid` if a name is not valid. */
export interface ProviderAudit {
  /**
   * Returns events, the newest first.
   *
   * @param of - selects events by what is given. Without a type and a name, events about data keys are included
   * @param limit - default: 50
   */
  listEvents(of?: Partial<ProviderIdentity>, limit?: number): Promise<readonly ProviderEvent[]>;
  /** Returns the workflows that used a provider, the most recent first. Uses of the last minute may be missing. */
  listUsage(input: UsageInput): Promise<readonly UsageEntry[]>;
  /**
   * Deletes the uses of minutes before this time, in batches. The last use of each provider stays.
   *
   * @returns the number of deleted rows
   */
  pruneUsage(before: Date): Promise<number>;
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

    async listUsage({ version, from, to, limit = 1_000, ...provider }) {
      const values = [...keyOf(provider), version ?? null, from ?? null, to ?? null, limit];
      return (await database.query<UsageColumns>(LIST_USAGE, values)).map(toUsage);
    },

    async pruneUsage(before) {
      let all = 0;
      for (;;) {
        const [row] = await database.query<{ pruned: string }>(PRUNE_USAGE, [before, PRUNE_BATCH]);
        const pruned = Number(row?.pruned);
        all += pruned;
        if (pruned !== PRUNE_BATCH) return all;
      }
    },
  };
}

/** Small enough for a statement to end before its time-out. */
const PRUNE_BATCH = 10_000;

const LIST_EVENTS = call('list_provider_events', 4);
const LIST_USAGE = call('list_provider_use', 7);
const PRUNE_USAGE = change('prune_use', 2, 'prune_use as pruned');

interface UsageColumns {
  readonly version: string;
  readonly workflow_type: string;
  readonly workflow_id: string;
  readonly count: string;
  readonly first_used_at: Date;
  readonly last_used_at: Date;
}

function toUsage(row: UsageColumns): UsageEntry {
  return {
    version: Number(row.version),
    ...(row.workflow_id && { workflowType: row.workflow_type, workflowId: row.workflow_id }),
    count: Number(row.count),
    firstUsedAt: row.first_used_at,
    lastUsedAt: row.last_used_at,
  };
}

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
