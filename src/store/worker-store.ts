/** The workers' rows: their leases, and what a fence reads. */

import { call } from './calls.js';
import type { Database, Statement } from './pool.js';
import type { LeaseStore, RegisteredWorker, SeenWorker, WorkerRegistry } from './ports.js';

export function leaseStore(database: Database): LeaseStore {
  return {
    async registerWorker({ workerId, taskQueue, identity, build, leaseMs, longestStepMs }) {
      await database.query(REGISTER, [workerId, taskQueue, identity, build, leaseMs, longestStepMs]);
    },

    async renewLease(workerId, appliedEpoch, timeoutMs) {
      const [row] = await database.query<RenewalColumns>(RENEW, [workerId, appliedEpoch], timeoutMs);
      if (!row?.renewed) return undefined;
      return { epoch: Number(row.epoch), changed: row.changed ?? 'everything', databaseMs: row.database_ms };
    },

    async deregisterWorker(workerId) {
      await database.query(DEREGISTER, [workerId]);
    },
  };
}

export function workerRegistry(database: Database): WorkerRegistry {
  const change = async (statement: Statement, workers: readonly SeenWorker[]) => {
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

const REGISTER = call('register_worker', 6);
const RENEW = call('renew_lease', 2, '*, extract(epoch from clock_timestamp())::float8 * 1000 as database_ms');
const DEREGISTER = call('deregister_worker', 1);
const LIST = call('list_workers', 0, '*, extract(epoch from clock_timestamp() - heard_at)::float8 * 1000 as silent_ms');
const MARK_VANISHED = call('mark_vanished', 2, 'mark_vanished as worker_id');
const FORGET = call('forget_workers', 2, 'forget_workers as worker_id');
const EPOCH = call('read_epoch', 0, 'read_epoch as epoch');

interface RenewalColumns {
  readonly renewed: boolean;
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
    registeredAt: row.registered_at,
    heardAt: row.heard_at,
    silentMs: row.silent_ms,
  };
}
