/** What is asked of all workspaces at once, page by page, and what a person must be told once. */
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { DueRotation, PageInput, PreparedRotation, ProviderEventName } from '../protocol/schedules.js';
import { call, type KeyColumns, keyOf, toIdentity } from './calls.js';
import type { Database } from './pool.js';

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
  /**
   * @param rotateEvery - as Postgres reads an interval: `90 days`; absent: only when somebody asks for it
   * @throws ProviderError `ProviderNotConfigured`, `ProviderConfigInvalid` where that is no interval
   */
  setRotationInterval(provider: ProviderIdentity, rotateEvery: string | undefined): Promise<void>;
}

/** @param actor - as the audit calls who acts; absent: its login */
export function scheduleStore(database: Database, actor?: string): ScheduleStore {
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

    async setRotationInterval(provider, rotateEvery) {
      const values = [...keyOf(provider), rotateEvery ?? null, actor ?? null];
      const [row] = await database.query<{ changed: boolean }>(SET_INTERVAL, values);
      if (row?.changed) return;
      throw new ProviderError('ProviderNotConfigured', `there is no ${describeProvider(provider)}`, { provider });
    },
  };
}

const LIST_DUE = call('list_due_rotations', 4);
const LIST_ACTIVE = call('list_active_providers', 4);
const STAGE_DUE = call('stage_due_rotation', 6);
const RAISE_ONCE = call('raise_event_once', 6);
const COUNT_OVERDUE = call('count_overdue', 0);
const SET_INTERVAL = call('set_rotation_interval', 5);

interface StagedColumns {
  readonly outcome: PreparedRotation['outcome'];
  readonly staged_id: string | null;
}

/** An empty text comes before every name. */
function pageOf({ after, limit }: PageInput): unknown[] {
  return [...(after ? keyOf(after) : ['', '', '']), limit];
}
