/** What schedules read of all workspaces, page by page, and the events that they record once. */
import { notConfigured } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type {
  DueRotation,
  ListedProvider,
  PageInput,
  PreparedRotation,
  ProviderEventName,
} from '../protocol/schedules.js';
import { call, change, type KeyColumns, keyOf, toIdentity } from './calls.js';
import type { Database } from './pool.js';

export interface StageDueRotation {
  /** The id for a new rotation, if none is staged. */
  readonly rotationId: string;
  readonly provider: ProviderIdentity;
  /** Whether the service can issue the next credential. */
  readonly canBeIssued: boolean;
  readonly requestedBy: string;
}

export interface CredentialAges {
  readonly type: string;
  readonly oldestMs: number;
  /** The number of those that are older than their interval. */
  readonly overdue: number;
}

/** Each method throws ProviderError `StoreUnavailable`. */
export interface ScheduleStore {
  /** Active providers whose `rotate_every` has passed, and that have no rotation under way. */
  listDueRotations(page: PageInput): Promise<readonly (DueRotation & ListedProvider)[]>;
  listActiveProviders(page: PageInput): Promise<readonly ListedProvider[]>;
  /** Takes a rotation that was staged ahead of time, or stages one to be issued. Replaces nothing. May be repeated. */
  stageDueRotation(rotation: StageDueRotation): Promise<PreparedRotation>;
  /** @returns false if the event was recorded for this version before, or the provider is at another version by now */
  raiseEventOnce(due: DueRotation, event: ProviderEventName, actor: string): Promise<boolean>;
  /** The number of overdue rotations that were already reported and are still due. */
  countOverdue(): Promise<number>;
  /** Of the active credentials that have an interval, by type. */
  credentialAges(): Promise<readonly CredentialAges[]>;
  /**
   * @param rotateEvery - an interval of Postgres, such as `90 days`. Default: rotation only on request
   * @throws ProviderError `ProviderNotConfigured`, `ProviderConfigInvalid` if the interval is not valid
   */
  setRotationInterval(provider: ProviderIdentity, rotateEvery: string | undefined): Promise<void>;
}

/** @param actor - the name that the audit records; default: the login */
export function scheduleStore(database: Database, actor?: string): ScheduleStore {
  return {
    async listDueRotations(page) {
      const rows = await database.query<ListedColumns & { version: string }>(LIST_DUE, pageOf(page));
      return rows.map((row) => ({ ...toListed(row), version: Number(row.version) }));
    },

    async listActiveProviders(page) {
      return (await database.query<ListedColumns>(LIST_ACTIVE, pageOf(page))).map(toListed);
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

    async credentialAges() {
      const rows = await database.query<AgeColumns>(CREDENTIAL_AGES, []);
      return rows.map((row) => {
        return { type: row.provider_type, oldestMs: Number(row.oldest_ms), overdue: Number(row.overdue) };
      });
    },

    async setRotationInterval(provider, rotateEvery) {
      const values = [...keyOf(provider), rotateEvery ?? null, actor ?? null];
      const [row] = await database.query<{ changed: boolean }>(SET_INTERVAL, values);
      if (row?.changed) return;
      throw notConfigured(provider);
    },
  };
}

const LIST_DUE = call('list_due_rotations', 5);
const LIST_ACTIVE = call('list_active_providers', 5);
const STAGE_DUE = change('stage_due_rotation', 6);
const RAISE_ONCE = change('raise_event_once', 6);
const COUNT_OVERDUE = call('count_overdue', 0);
const CREDENTIAL_AGES = call('credential_ages', 0);
const SET_INTERVAL = change('set_rotation_interval', 5);

interface AgeColumns {
  readonly provider_type: string;
  readonly oldest_ms: string;
  readonly overdue: string;
}

interface StagedColumns {
  readonly outcome: PreparedRotation['outcome'];
  readonly staged_id: string | null;
}

interface ListedColumns extends KeyColumns {
  readonly turn: string;
}

function toListed(row: ListedColumns): ListedProvider {
  return { provider: toIdentity(row), turn: Number(row.turn) };
}

/** The first turn is 1. */
function pageOf({ after, limit }: PageInput): unknown[] {
  return [...(after ? [after.turn, ...keyOf(after.provider)] : [0, '', '', '']), limit];
}
