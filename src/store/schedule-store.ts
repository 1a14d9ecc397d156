/** What is asked of all workspaces at once, page by page, and what was told of their providers. */
import { ProviderError } from '../protocol/errors.js';
import type { ProviderIdentity } from '../protocol/identity.js';
import { checkIdentity, checkWorkspaceId, describeProvider } from '../protocol/names.js';
import type { DueRotation, PageInput, PreparedRotation, ProviderEventName } from '../protocol/schedules.js';
import type { Database } from './pool.js';

/** One line of the audit. */
export interface ProviderEvent {
  /** Grows with time. */
  readonly eventId: string;
  readonly at: Date;
  readonly provider: ProviderIdentity;
  readonly version?: number;
  /** `rotation-overdue`, `credential-rejected`, … */
  readonly event: string;
  /** Who, or what, it was done or found by. */
  readonly actor: string;
  /** Names and counts, never a secret. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface StageDueRotation {
  /** For the one that is staged where there is none. */
  readonly rotationId: string;
  readonly provider: ProviderIdentity;
  /** Whether its service can make the next credential. */
  readonly canBeIssued: boolean;
  readonly requestedBy: string;
}

/** Each throws ProviderError `StoreUnavailable`. */
export interface ScheduleStore {
  /** Active providers whose `rotate_every` has passed, and of which no rotation is under way. */
  listDueRotations(page: PageInput): Promise<readonly DueRotation[]>;
  listActiveProviders(page: PageInput): Promise<readonly ProviderIdentity[]>;
  /** Takes what was staged ahead, else stages one that is to be issued. Replaces nothing; may be called again. */
  stageDueRotation(rotation: StageDueRotation): Promise<PreparedRotation>;
  /** @returns false where that was told of this version before, or the provider is at another one by now */
  raiseEventOnce(due: DueRotation, event: ProviderEventName, actor: string): Promise<boolean>;
  /** Of how many overdue rotations a person was told, who has done nothing yet. */
  countOverdue(): Promise<number>;
  /** The newest first. @param workspaceId - absent: of all */
  listProviderEvents(workspaceId: string | undefined, limit: number): Promise<readonly ProviderEvent[]>;
  /**
   * @param rotateEvery - as Postgres reads an interval: `90 days`; absent: only when somebody asks for it
   * @throws ProviderError `ProviderNotConfigured`, `ProviderConfigInvalid` where that is no interval
   */
  setRotationInterval(provider: ProviderIdentity, rotateEvery: string | undefined): Promise<void>;
}

export function scheduleStore(database: Database): ScheduleStore {
  return {
    async listDueRotations(page) {
      const rows = await database.query<KeyColumns & { version: string }>(LIST_DUE, pageOf(page));
      return rows.map((row) => ({ provider: toIdentity(row), version: Number(row.version) }));
    },

    async listActiveProviders(page) {
      return (await database.query<KeyColumns>(LIST_ACTIVE, pageOf(page))).map(toIdentity);
    },

    async stageDueRotation({ rotationId, provider, canBeIssued, requestedBy }) {
      const values = [rotationId, ...keyOf(provider), canBeIssued, requestedBy];
      const [row] = await database.query<StagedColumns>(STAGE_DUE, values);
      if (row?.outcome === 'staged' && row.staged_id) return { outcome: 'staged', rotationId: row.staged_id };
      return { outcome: row?.outcome === 'needs-person' ? 'needs-person' : 'passed' };
    },

    async raiseEventOnce({ provider, version }, event, actor) {
      const values = [...keyOf(provider), version, event, actor];
      const [row] = await database.query<{ raised: boolean }>(RAISE_ONCE, values);
      return row?.raised ?? false;
    },

    async countOverdue() {
      const [row] = await database.query<{ overdue: string }>(COUNT_OVERDUE, []);
      return Number(row?.overdue);
    },

    async listProviderEvents(workspaceId, limit) {
      const values = [workspaceId === undefined ? null : checkWorkspaceId(workspaceId), limit];
      return (await database.query<EventColumns>(LIST_EVENTS, values)).map(toEvent);
    },

    async setRotationInterval(provider, rotateEvery) {
      const values = [...keyOf(provider), rotateEvery ?? null];
      const [row] = await database.query<{ changed: boolean }>(SET_INTERVAL, values);
      if (row?.changed) return;
      throw new ProviderError('ProviderNotConfigured', `there is no ${describeProvider(provider)}`, { provider });
    },
  };
}

const LIST_DUE = { name: 'list_due_rotations', text: 'select * from provider_api.list_due_rotations($1, $2, $3, $4)' };
const LIST_ACTIVE = {
  name: 'list_active_providers',
  text: 'select * from provider_api.list_active_providers($1, $2, $3, $4)',
};
const STAGE_DUE = {
  name: 'stage_due_rotation',
  text: 'select outcome, staged_id from provider_api.stage_due_rotation($1, $2, $3, $4, $5, $6)',
};
const RAISE_ONCE = {
  name: 'raise_event_once',
  text: 'select raised from provider_api.raise_event_once($1, $2, $3, $4, $5, $6)',
};
const COUNT_OVERDUE = { name: 'count_overdue', text: 'select overdue from provider_api.count_overdue()' };
const LIST_EVENTS = {
  name: 'list_provider_events',
  text: 'select * from provider_api.list_provider_events($1, $2)',
};
const SET_INTERVAL = {
  name: 'set_rotation_interval',
  text: 'select changed from provider_api.set_rotation_interval($1, $2, $3, $4)',
};

interface KeyColumns {
  readonly workspace_id: string;
  readonly provider_type: string;
  readonly provider_name: string;
}

interface StagedColumns {
  readonly outcome: PreparedRotation['outcome'];
  readonly staged_id: string | null;
}

interface EventColumns extends KeyColumns {
  readonly event_id: string;
  readonly at: Date;
  readonly version: string | null;
  readonly event: string;
  readonly actor: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** An empty text comes before every name. */
function pageOf({ after, limit }: PageInput): unknown[] {
  return [...(after ? keyOf(after) : ['', '', '']), limit];
}

function keyOf(provider: ProviderIdentity): string[] {
  const { workspaceId, type, name } = checkIdentity(provider);
  return [workspaceId, type, name];
}

function toIdentity(row: KeyColumns): ProviderIdentity {
  return { workspaceId: row.workspace_id, type: row.provider_type, name: row.provider_name };
}

function toEvent(row: EventColumns): ProviderEvent {
  return {
    eventId: row.event_id,
    at: row.at,
    provider: toIdentity(row),
    version: row.version === null ? undefined : Number(row.version),
    event: row.event,
    actor: row.actor,
    details: row.details,
  };
}
