/** What a person who watches a fleet sees of Postgres, in one reading: who serves, what runs, what needs a person. */
import type { RotationState } from '../protocol/rotation.js';
import type { ManagementStore } from '../store/management-store.js';
import type { RegisteredWorker } from '../store/ports.js';
import type { OpenRotation } from '../store/rotation-store.js';
import type { SchemaVersion, TroubledProvider } from '../store/watch-store.js';

export interface WorkerStatus
  extends Pick<RegisteredWorker, 'workerId' | 'identity' | 'build' | 'leaseMs' | 'appliedEpoch' | 'registeredAt'> {
  /** `held`: it may serve. `expired`: it has not renewed in time. `given-up`: it was marked as vanished. */
  readonly lease: 'held' | 'expired' | 'given-up';
  /** By the database's clock. */
  readonly leaseUntil: Date;
  readonly heardAt: Date;
  /** For how long it has not renewed, in milliseconds. */
  readonly silentMs: number;
  /** The number of changes that it has not applied. */
  readonly behind: number;
  /** The key set of grants that it uses. Empty: it has not read one, or checks no grants. */
  readonly keySet: string;
}

export interface RotationStage extends OpenRotation {
  /** What it waits for, as far as Postgres knows. */
  readonly waitsFor: string;
}

export interface KeySetUse {
  /** Empty: no key set was read, or grants are not checked. */
  readonly keySet: string;
  readonly identities: readonly string[];
}

export interface FleetStatus {
  readonly readAt: Date;
  readonly schema: SchemaVersion;
  readonly epoch: number;
  readonly lineage: string;
  readonly workers: readonly WorkerStatus[];
  /** The key sets of workers whose lease is held. */
  readonly keySets: readonly KeySetUse[];
  /** The rotations that have begun and not ended. */
  readonly rotations: readonly RotationStage[];
  readonly troubled: readonly TroubledProvider[];
  /** Whether a list has only its first entries. */
  readonly cut: boolean;
}

/** More than a person reads. */
const LONGEST_LIST = 100;

const WAITS_FOR: Readonly<Partial<Record<RotationState, string>>> = {
  staged: 'the check of its credential',
  checked: 'the activation of its credential',
  activated: 'workers that may serve the older version',
  fenced: 'steps that hold the older version',
  drained: 'the end of its overlap, or the revocation of the older credential',
};

/** @throws ProviderError `StoreUnavailable` */
export async function readFleetStatus(store: ManagementStore): Promise<FleetStatus> {
  // The epoch is read first: a worker may be ahead of it, but is not shown as behind one that it could not know.
  const { epoch, lineage } = await store.readEpoch();
  const [registered, open, troubled, schema] = await Promise.all([
    store.listWorkers(),
    store.listOpenRotations(undefined, LONGEST_LIST + 1),
    store.listTroubledProviders(LONGEST_LIST + 1),
    store.readSchemaVersion(),
  ]);
  const workers = registered.map((worker) => toStatus(worker, epoch));
  const shown = firstOfEach(troubled);
  const rotations = open
    .slice(0, LONGEST_LIST)
    .map((each) => ({ ...each, waitsFor: WAITS_FOR[each.state] ?? 'its end' }));
  return {
    ...{ readAt: new Date(), schema, epoch, lineage, workers, keySets: keySetsOf(workers), rotations },
    troubled: shown,
    cut: rotations.length < open.length || shown.length < troubled.length,
  };
}

function toStatus(worker: RegisteredWorker, epoch: number): WorkerStatus {
  const { workerId, identity, build, state, leaseMs, appliedEpoch, registeredAt, heardAt, grantKeys } = worker;
  const silentMs = Math.max(0, Math.round(worker.silentMs));
  const held = silentMs <= leaseMs ? 'held' : 'expired';
  return {
    ...{ workerId, identity, build, leaseMs, appliedEpoch, registeredAt, heardAt, silentMs },
    lease: state === 'live' ? held : 'given-up',
    leaseUntil: new Date(heardAt.getTime() + leaseMs),
    behind: Math.max(0, epoch - appliedEpoch),
    keySet: grantKeys,
  };
}

function keySetsOf(workers: readonly WorkerStatus[]): readonly KeySetUse[] {
  const serving = workers.filter(({ lease }) => lease === 'held');
  return [...new Set(serving.map(({ keySet }) => keySet))].map((keySet) => ({
    keySet,
    identities: serving.filter((worker) => worker.keySet === keySet).map(({ identity }) => identity),
  }));
}

function firstOfEach(troubled: readonly TroubledProvider[]): readonly TroubledProvider[] {
  const seen = new Map<string, number>();
  return troubled.filter(({ trouble }) => {
    const count = (seen.get(trouble) ?? 0) + 1;
    seen.set(trouble, count);
    return count <= LONGEST_LIST;
  });
}
