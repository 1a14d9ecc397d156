/** The workers' rows: their leases, and what a fence reads of them. */
import type { LeaseStore, RegisteredWorker, SeenWorker, WorkerRegistry } from '../protocol/workers.js';
import type { Database } from './pool.js';

export function leaseStore(database: Database): LeaseStore {
  return {
    async registerWorker({ workerId, taskQueue, identity, build, leaseMs, longestStepMs }) {
      await database.query(REGISTER, [workerId, taskQueue, identity, build, leaseMs, longestStepMs]);
    },

    async renewLease(workerId, appliedEpoch, timeoutMs) {
      const [row] = await database.query<RenewalColumns>(RENEW, [workerId, appliedEpoch], timeoutMs);
      return row?.renewed ? { epoch: Number(row.epoch), changed: row.changed ?? 'everything' } : undefined;
    },

    async deregisterWorker(workerId) {
      await database.query(DEREGISTER, [workerId]);
    },
  };
}

export function workerRegistry(database: Database): WorkerRegistry {
  const change = async (statement: typeof MARK_VANISHED, workers: readonly SeenWorker[]) => {
    if (workers.length === 0) return [];
    const values = [workers.map(({ workerId }) => workerId), workers.map(({ renewal }) => renewal)];
    return (await database.query<{ worker_id: string }>(statement, values)).map(({ worker_id }) => worker_id);
  };
  return {
    listWorkers: async () => (await database.query<WorkerColumns>(LIST, [])).map(toWorker),
    markVanished: (workers) => change(MARK_VANISHED, workers),
    forgetWorkers: (workers) => change(FORGET, workers),
    async readEpoch() {
      const [row] = await database.query<{ epoch: string }>(EPOCH, []);
      return Number(row?.epoch);
    },
  };
}

const REGISTER = { name: 'register_worker', text: 'select provider_api.register_worker($1, $2, $3, $4, $5, $6)' };
const RENEW = { name: 'renew_lease', text: 'select renewed, epoch, changed from provider_api.renew_lease($1, $2)' };
const DEREGISTER = { name: 'deregister_worker', text: 'select provider_api.deregister_worker($1)' };
const LIST = { name: 'list_workers', text: 'select * from provider_api.list_workers()' };
const MARK_VANISHED = {
  name: 'mark_vanished',
  text: 'select provider_api.mark_vanished($1, $2) as worker_id',
};
const FORGET = { name: 'forget_workers', text: 'select provider_api.forget_workers($1, $2) as worker_id' };
const EPOCH = { name: 'read_epoch', text: 'select provider_api.read_epoch() as epoch' };

interface RenewalColumns {
  readonly renewed: boolean;
  readonly epoch: string;
  readonly changed: readonly string[] | null;
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
  readonly registered_at: Date;
  readonly heard_at: Date;
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
    registeredAt: row.registered_at,
    heardAt: row.heard_at,
  };
}
