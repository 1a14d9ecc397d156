/** The workers' rows: their leases, and what a fence reads. */
import { ProviderError } from '../protocol/errors.js';
import type { HeldVersion } from '../protocol/rotation.js';
import { call } from './calls.js';
import type { Database, Statement } from './pool.js';
import type {
  HeldCredential,
  HolderRegistry,
  LeaseStore,
  RegisteredWorker,
  SeenWorker,
  WorkerRegistry,
} from './ports.js';

/** The tokens that Postgres answered to registrations, with which workers speak for themselves. */
export class WorkerTokens {
  readonly #tokens = new Map<string, { readonly token: string; calls: number; lineage: string | null }>();
  #last: string | undefined;

  set(workerId: string, token: string, lineage: string): void {
    this.#tokens.set(workerId, { token, calls: this.callsOf(workerId), lineage });
    this.#last = workerId;
  }

  /** The lineage in which the worker has registered. */
  lineageOf(workerId: string): string | null {
    return this.#tokens.get(workerId)?.lineage ?? null;
  }

  forgetLineage(workerId: string): void {
    const worker = this.#tokens.get(workerId);
    if (worker) worker.lineage = null;
  }

  get(workerId: string): string | null {
    return this.#tokens.get(workerId)?.token ?? null;
  }

  /** Counts a renewal. No two renewals have the same number, whether or not Postgres answers them. */
  nextCall(workerId: string): number {
    const worker = this.#tokens.get(workerId);
    return worker ? ++worker.calls : 1;
  }

  callsOf(workerId: string): number {
    return this.#tokens.get(workerId)?.calls ?? 0;
  }

  /** The worker that was registered last, with its token. @throws ProviderError `StoreUnavailable` if none was */
  last(): readonly [workerId: string, token: string | null] {
    if (this.#last === undefined) throw new ProviderError('StoreUnavailable', 'this process has not registered yet');
    return [this.#last, this.get(this.#last)];
  }
}

export function leaseStore(database: Database, tokens: WorkerTokens): LeaseStore {
  return {
    async registerWorker({ workerId, taskQueue, identity, build, leaseMs, longestStepMs }) {
      const facts = [workerId, taskQueue, identity, build, leaseMs, longestStepMs];
      const values = [...facts, tokens.get(workerId), tokens.lineageOf(workerId)];
      const [row] = await database.query<{ token: string; lineage: string }>(REGISTER, values);
      if (!row) throw new ProviderError('StoreUnavailable', 'Postgres did not answer a registration');
      tokens.set(workerId, row.token, row.lineage);
      return row.lineage;
    },

    async renewLease(workerId, appliedEpoch, timeoutMs, grantKeys = '', held = []) {
      const own = [workerId, tokens.get(workerId), tokens.nextCall(workerId)];
      const facts = [appliedEpoch, tokens.lineageOf(workerId), grantKeys];
      const values = [...own, ...facts, held === 'too-many' ? null : JSON.stringify(held.map(toHeldColumns))];
      const [row] = await database.query<RenewalColumns>(RENEW, values, AbortSignal.timeout(timeoutMs));
      if (row?.moved) tokens.forgetLineage(workerId);
      if (!row?.renewed) return undefined;
      return { epoch: Number(row.epoch), changed: row.changed ?? 'everything', databaseMs: row.database_ms };
    },

    async deregisterWorker(workerId) {
      await database.query(DEREGISTER, [workerId, tokens.get(workerId), tokens.callsOf(workerId)]);
    },
  };
}

export function workerRegistry(database: Database): WorkerRegistry & HolderRegistry {
  const change = async (statement: Statement, workers: readonly SeenWorker[]) => {
    if (workers.length === 0) return [];
    const values = [workers.map(({ workerId }) => workerId), workers.map(({ renewal }) => renewal)];
    return (await database.query<{ worker_id: string }>(statement, values)).map(({ worker_id }) => worker_id);
  };
  return {
    listWorkers: async () => (await database.query<WorkerColumns>(LIST, [])).map(toWorker),
    markVanished: (workers) => change(MARK_VANISHED, workers),
    forgetWorkers: (workers) => change(FORGET, workers),
    async listHolders({ provider: { workspaceId, type, name }, version, epoch }) {
      const values = [workspaceId, type ?? null, name ?? null, version ?? null, epoch];
      const rows = await database.query<HolderColumns>(HOLDERS, values);
      return rows.map(({ worker_id: workerId, identity, held }) => ({ workerId, identity, held }));
    },
    async readEpoch() {
      const [row] = await database.query<{ epoch: string; lineage: string }>(EPOCH, []);
      return { epoch: Number(row?.epoch), lineage: row?.lineage ?? '' };
    },
  };
}

const REGISTER = call('register_worker', 8);
const RENEW = call('renew_lease', 7, '*, extract(epoch from clock_timestamp())::float8 * 1000 as database_ms');
const DEREGISTER = call('deregister_worker', 3);
const LIST = call('list_workers', 0, '*, extract(epoch from clock_timestamp() - heard_at)::float8 * 1000 as silent_ms');
const MARK_VANISHED = call('mark_vanished', 2, 'mark_vanished as worker_id');
const FORGET = call('forget_workers', 2, 'forget_workers as worker_id');
const EPOCH = call('read_epoch', 0);
const HOLDERS = call('list_holders', 5);

interface HolderColumns {
  readonly worker_id: string;
  readonly identity: string;
  readonly held: readonly HeldVersion[];
}

function toHeldColumns({ provider: { workspaceId, type, name }, version, count, longestMs }: HeldCredential) {
  return { workspace_id: workspaceId, provider_type: type, provider_name: name, version, count, longest_ms: longestMs };
}

interface RenewalColumns {
  readonly renewed: boolean;
  readonly moved: boolean;
  readonly epoch: string;
  readonly changed: readonly string[] | null;
  readonly database_ms: number;
}

interface WorkerColumns {
  readonly worker_id: string;
  readonly state: RegisteredWorker['state'];
  readonly task_queue: string;
  readonly identity: string;
  readonly build: string;
  readonly lease_ms: number;
  readonly longest_step_ms: number;
  readonly renewal: string;
  readonly applied_epoch: string;
  readonly grant_keys: string;
  readonly registered_at: Date;
  readonly heard_at: Date;
  readonly silent_ms: number;
}

function toWorker(row: WorkerColumns): RegisteredWorker {
  return {
    workerId: row.worker_id,
    state: row.state,
    taskQueue: row.task_queue,
    identity: row.identity,
    build: row.build,
    leaseMs: row.lease_ms,
    longestStepMs: row.longest_step_ms,
    renewal: row.renewal,
    appliedEpoch: Number(row.applied_epoch),
    grantKeys: row.grant_keys,
    registeredAt: row.registered_at,
    heardAt: row.heard_at,
    silentMs: row.silent_ms,
  };
}
