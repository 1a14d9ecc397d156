import type { ProviderIdentity } from '../protocol/references.js';
import type { HeldVersion, Holder } from '../protocol/rotation.js';

/** A data key of a workspace, wrapped by a root key. */
export interface WrappedDataKey {
  readonly kid: string;
  readonly wrappedKey: string;
  readonly rootKeyId: string;
}

/** A row of `workspace_providers`, without its workspace. */
export interface ProviderRecord {
  readonly type: string;
  readonly name: string;
  /** Public, and not yet checked against its provider type. */
  readonly config: unknown;
  /** A compact JWE. Only `sealing` opens it. */
  readonly encryptedConfig: string;
  readonly status: 'active' | 'disabled';
  readonly version: number;
}

/** Everything that one workspace has stored, from one database snapshot. */
export interface WorkspaceSnapshot {
  /** The epoch of that snapshot. Every change in the database raises it, in commit order. */
  readonly epoch: number;
  /** The lineage in which the epoch counts. Absent if a new one is about to begin. */
  readonly lineage?: string;
  readonly dataKeys: readonly WrappedDataKey[];
  readonly providers: readonly ProviderRecord[];
}

/** The data that a worker registers. */
export interface WorkerRegistration {
  /** Random, one per process. */
  readonly workerId: string;
  /** The process's own task queue, which no other process polls. */
  readonly taskQueue: string;
  /** The name that people see, as in the Temporal UI. */
  readonly identity: string;
  /** The version of this package that the process runs. */
  readonly build: string;
  /** How long the process may answer from its cache after a renewal, in milliseconds. */
  readonly leaseMs: number;
  /** The longest time that a step may run, in milliseconds. A worker that vanished counts as a holder for that time. */
  readonly longestStepMs: number;
}

export interface RegisteredWorker extends WorkerRegistration {
  /** `vanished`: the worker holds no lease, but may still run a step. */
  readonly state: 'live' | 'vanished';
  /** Differs at each renewal, and is never used twice. */
  readonly renewal: string;
  /** The newest epoch whose changes the worker had applied when it last renewed. */
  readonly appliedEpoch: number;
  /** A digest of the key set of grants that the worker uses. Empty: it has not read one, or checks no grants. */
  readonly grantKeys: string;
  readonly registeredAt: Date;
  /** By the database's clock, for people. No decision depends on it. */
  readonly heardAt: Date;
  /** For how long it has not renewed, by the database's clock, in milliseconds. */
  readonly silentMs: number;
}

/** A version that outdated steps of a worker hold. */
export interface HeldCredential extends HeldVersion {
  readonly provider: ProviderIdentity;
}

/** Which steps a drain is about. */
export interface HeldQuestion {
  /** Without a type and a name: every provider of the workspace. */
  readonly provider: Pick<ProviderIdentity, 'workspaceId'> & Partial<ProviderIdentity>;
  /** Steps that hold an older version. Default: any version. */
  readonly version?: number;
  /** The epoch of a fence that was complete. */
  readonly epoch: number;
}

/** A row as it was read. A change to it is made only if it has not been renewed since. */
export type SeenWorker = Pick<RegisteredWorker, 'workerId' | 'renewal'>;

/** The result of a renewal: the database's epoch, and the workspaces that changed since the applied one. */
export interface Renewal {
  readonly epoch: number;
  readonly changed: readonly string[] | 'everything';
  /** The clock of Postgres when it answered, in milliseconds since 1970. No decision depends on it. */
  readonly databaseMs?: number;
}

/** Epochs of different lineages cannot be compared: the database may have gone back in between. */
export interface EpochReading {
  readonly epoch: number;
  readonly lineage: string;
}

/** How a waiting fence and a janitor use the workers' rows. Each method throws ProviderError `StoreUnavailable`. */
export interface WorkerRegistry {
  /** All workers, however long they have been silent. */
  listWorkers(): Promise<readonly RegisteredWorker[]>;
  /** Ends their leases: a worker whose row is not live gets no lease until it registers again. */
  markVanished(workers: readonly SeenWorker[]): Promise<readonly string[]>;
  /** Removes the rows of vanished workers. */
  forgetWorkers(workers: readonly SeenWorker[]): Promise<readonly string[]>;
  /**
   * The epoch of a snapshot taken after the call: at least that of every change that was committed before the call.
   *
   * @throws ProviderError `StoreUnavailable`, also while a trigger or policy that the fence relies on is not in force
   */
  readEpoch(): Promise<EpochReading>;
}

/** How a drain uses the workers' rows. */
export interface HolderRegistry {
  /**
   * The workers whose steps may hold an older version. `held` of one is empty if that is not known: it had not applied
   * the epoch when it last renewed, or holds too much to list.
   *
   * @throws ProviderError `StoreUnavailable`
   */
  listHolders(question: HeldQuestion): Promise<readonly Holder[]>;
}

/** How a worker uses its own row. Each method throws ProviderError `StoreUnavailable`. */
export interface LeaseStore {
  /**
   * Commits before it returns. Grants no lease: a renewal does.
   *
   * @returns the lineage of the database, in which the lease will count
   * @throws ProviderError `SetupInvalid` if another process has registered with this worker id
   */
  registerWorker(worker: WorkerRegistration): Promise<string>;
  /**
   * Records the applied epoch and returns the changes since. Returns `undefined` if the worker's row is not live, if
   * another process with the same worker id has renewed it, or if the database has another lineage.
   *
   * @throws ProviderError with `facts.isUnguarded` if what the cache holds cannot be relied on any more
   * @param timeoutMs - how long to wait for the answer; a later one is discarded
   * @param grantKeys - the digest of the key set of grants that the worker uses. Default: it checks no grants
   * @param held - what steps hold that began before the last change of their workspace was applied. Default: nothing
   */
  renewLease(
    workerId: string,
    appliedEpoch: number,
    timeoutMs: number,
    grantKeys?: string,
    held?: readonly HeldCredential[] | 'too-many',
  ): Promise<Renewal | undefined>;
  deregisterWorker(workerId: string): Promise<void>;
}

/** How often the steps of one workflow were given one version within one minute. */
export interface CountedUse {
  readonly provider: ProviderIdentity;
  /** 0: the platform's credential. */
  readonly version: number;
  /** Empty, like the id, if the step belonged to no workflow. */
  readonly workflowType: string;
  readonly workflowId: string;
  /** The start of the minute, in milliseconds since 1970. */
  readonly minuteMs: number;
  readonly count: number;
}

/** A stored credential that a worker could not open. */
export interface UnreadableCredential {
  readonly provider: ProviderIdentity;
  readonly version: number;
  /** The name of the process that found it. */
  readonly worker: string;
  /** Absent if the step belonged to no workflow. */
  readonly workflowId?: string;
}
