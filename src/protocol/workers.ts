/** The workers that hold leases, as the store keeps them and the fence counts them. */

/** What a worker says of itself when it registers. */
export interface WorkerRegistration {
  /** Random, one a process. */
  readonly workerId: string;
  /** Its own task queue: what is asked there reaches this process and no other. */
  readonly taskQueue: string;
  /** As people know it: what the Temporal UI shows. */
  readonly identity: string;
  /** The version of this package that it runs. */
  readonly build: string;
  /** How long it may answer from its cache after a renewal, in milliseconds. */
  readonly leaseMs: number;
  /** The longest that one of its steps may run, in milliseconds: how long a worker that vanished may hold a credential. */
  readonly longestStepMs: number;
}

export interface RegisteredWorker extends WorkerRegistration {
  /** `vanished`: it holds no lease any more, but may still run a step. */
  readonly state: 'live' | 'vanished';
  /** Another one at each renewal, never the same twice. */
  readonly renewal: string;
  /** The newest epoch whose changes it had applied when it last renewed. */
  readonly appliedEpoch: number;
  readonly registeredAt: Date;
  /** By the database's clock, for people: nothing is decided by it. */
  readonly heardAt: Date;
}

/** A row as it was seen: what is done to it is done only while it has not been renewed since. */
export type SeenWorker = Pick<RegisteredWorker, 'workerId' | 'renewal'>;

/** What a renewal brings: the database's epoch, and the workspaces that changed since the one that was applied. */
export interface Renewal {
  readonly epoch: number;
  readonly changed: readonly string[] | 'everything';
}

/** What a waiting fence and a janitor do to the workers' rows. Each throws ProviderError `StoreUnavailable`. */
export interface WorkerRegistry {
  /** All of them, however long they have been silent. */
  listWorkers(): Promise<readonly RegisteredWorker[]>;
  /** Takes their leases' last trace; a worker whose row is not live gets no lease until it registers again. */
  markVanished(workers: readonly SeenWorker[]): Promise<readonly string[]>;
  /** Of those that vanished: removes what is left. */
  forgetWorkers(workers: readonly SeenWorker[]): Promise<readonly string[]>;
  /** The epoch of a snapshot taken after the call: that of every change that was committed before it, or a later one. */
  readEpoch(): Promise<number>;
}

/** A worker's own row. Each throws ProviderError `StoreUnavailable`. */
export interface LeaseStore {
  /** Commits before it returns. Grants no lease: that takes a renewal. */
  registerWorker(worker: WorkerRegistration): Promise<void>;
  /**
   * Records what was applied, and tells what changed since. `undefined` where the worker's row is not live.
   *
   * @param timeoutMs - how long to wait for the answer; one that comes later is lost
   */
  renewLease(workerId: string, appliedEpoch: number, timeoutMs: number): Promise<Renewal | undefined>;
  deregisterWorker(workerId: string): Promise<void>;
}
