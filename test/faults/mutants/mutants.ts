/** Mutants of the protocol: each breaks one rule by replacing one part. */
import { outlasting, systemClock } from '../../../src/fence/clock.js';
import { awaitFence, type FenceOptions } from '../../../src/fence/fence.js';
import { Janitor } from '../../../src/fence/janitor.js';
import { type Instant, Lease, type Snapshot } from '../../../src/fence/lease.js';
import { isProviderError } from '../../../src/protocol/errors.js';
import type { RegisteredWorker, WorkerRegistration, WorkerRegistry } from '../../../src/store/ports.js';
import { UNKNOWN } from '../../support/fake-registry.js';
import type { Protocol } from './protocol.js';
import type { Session } from './statements.js';

class Unchecked extends Lease {
  override isHeld() {
    return true;
  }
}

class FromReceipt extends Lease {
  override extend() {
    super.extend(this.now());
  }
}

class Endless extends Lease {
  override extend() {
    super.extend({ monotonicMs: Number.POSITIVE_INFINITY, wallMs: Number.POSITIVE_INFINITY });
  }
}

class AdmittingAll extends Lease {
  override admits() {
    return true;
  }
  override vouchesFor(snapshot: Snapshot) {
    return this.isHeld() && super.admits(snapshot);
  }
}

class OfAnyLineage extends Lease {
  #lineage = '';
  override begin(lineage: string) {
    super.begin(lineage);
    this.#lineage = lineage;
  }
  override admits({ epoch }: Snapshot) {
    return super.admits({ epoch, lineage: this.#lineage });
  }
}

class VouchingUnderLease extends Lease {
  override vouchesFor() {
    return this.isHeld();
  }
}

class VouchingByEpoch extends Lease {
  override vouchesFor(snapshot: Snapshot) {
    return this.admits(snapshot);
  }
}

class MonotonicAlone extends Lease {
  override extend(sentAt: Instant) {
    super.extend({ ...sentAt, wallMs: Number.POSITIVE_INFINITY });
  }
}

const unconditional = (session: Session): WorkerRegistry => ({ ...session, markVanished: session.markRegardless });

/** The fence's clock does not move until the list has arrived. */
function countingFromTheCall(options: FenceOptions): FenceOptions {
  const { registry, clock = systemClock } = options;
  const calledMs = clock.monotonicMs();
  let looks = 0;
  const listWorkers = () => {
    looks += 1;
    return registry.listWorkers();
  };
  const monotonicMs = () => (looks < 2 ? calledMs : clock.monotonicMs());
  return { ...options, registry: { ...registry, listWorkers }, clock: { monotonicMs } };
}

export const MUTANTS: Readonly<Record<string, Partial<Protocol>>> = {
  'no lease check': { lease: (...args) => new Unchecked(...args) },
  'lease from the receive time': { lease: (...args) => new FromReceipt(...args) },
  'fill unchecked': { lease: (...args) => new AdmittingAll(...args) },
  'join unchecked': { lease: (...args) => new VouchingUnderLease(...args) },
  'join unleased': { lease: (...args) => new VouchingByEpoch(...args) },
  'wall clock unchecked': { lease: (...args) => new MonotonicAlone(...args) },
  'changes applied but not dropped': { leasedCache: (cache) => ({ invalidate: () => {}, clear: () => cache.clear() }) },
  'registered together with the first renewal': {
    leaseStore(session) {
      let registered: WorkerRegistration;
      return {
        ...session,
        registerWorker: async (worker) => {
          registered = worker;
          return session.lineage;
        },
        renewLease: (_, appliedEpoch) => session.renewOrRegister(registered, appliedEpoch),
      };
    },
  },
  'a worker whose row is gone takes a lease': {
    leaseStore: (session) => ({
      ...session,
      renewLease: async (workerId, epoch, timeoutMs) =>
        (await session.renewLease(workerId, epoch, timeoutMs)) ?? { epoch, changed: [] },
    }),
  },
  'loads of another lineage enter the cache': { lease: (...args) => new OfAnyLineage(...args) },
  'a database that goes back unnoticed': { goBack: (rows, epoch) => rows.goBackUnnoticed(epoch) },
  'unknown workers are not waited for': {
    fenceRegistry: (session) => ({
      ...session,
      listWorkers: async () => (await session.listWorkers()).filter(({ workerId }) => workerId !== UNKNOWN),
    }),
  },
  'row and epoch read in two snapshots': { load: (session) => session.readWorkspaceTwice },
  'silent workers left out of the list': {
    fenceRegistry: (session, wallMs) => ({
      ...session,
      listWorkers: async () => {
        const heard = ({ heardAt, leaseMs }: RegisteredWorker) => wallMs() - heardAt.getTime() < outlasting(leaseMs);
        return (await session.listWorkers()).filter(heard);
      },
    }),
  },
  'rows deleted by the wall clock': {
    janitor: (session, { wallMs }) => ({
      async look() {
        const silent = ({ heardAt, leaseMs }: RegisteredWorker) => wallMs() - heardAt.getTime() >= outlasting(leaseMs);
        const workers = await session.listWorkers();
        await session.markVanished(workers.filter(silent));
      },
    }),
  },
  'a janitor that marks without its condition': {
    janitor: (session, clock) => new Janitor(unconditional(session), clock),
  },
  'a fence that marks without its condition': { fenceRegistry: unconditional },
  'a fence that counts from before its list': { fence: (options) => awaitFence(countingFromTheCall(options)) },
  'notification only': { lease: (...args) => new Endless(...args) },
  'a fence that begins before its change has an epoch': { fenceEpoch: ({ rows }) => rows.epoch },
  'a fence that does not wait': { fence: async () => ({ epoch: 0, complete: true, tookMs: 0, workers: [] }) },
  'fallback on an error': {
    load: (session) => async (workspaceId) => {
      try {
        return await session.readWorkspace(workspaceId);
      } catch (error) {
        if (!isProviderError(error, 'StoreUnavailable')) throw error;
        return { epoch: 0, lineage: session.lineage, dataKeys: [], providers: [] };
      }
    },
  },
};

/** Schedules that were found once by chance, and would take minutes to find again. They are walked first. */
export const KEPT_SCHEDULES: Readonly<Record<string, readonly string[]>> = {
  'a fence that marks without its condition': [
    ...['the worker renews', 'worker registers: commit', 'worker registers: answer', 'a read', 'a change commits'],
    ...['its fence begins', 'fence lists: snapshot', 'fence lists: answer', 'worker renews: snapshot'],
    ...['time passes, the worker suspended', 'worker renews: commit', 'worker renews: answer', 'fence lists: snapshot'],
    ...['worker loads: snapshot', 'fence lists: answer', 'worker renews: snapshot', 'worker loads: answer'],
    ...['worker renews: commit', 'worker renews: answer', 'fence marks: commit', 'fence marks: answer'],
    ...['fence reads the epoch: snapshot', 'fence reads the epoch: answer', 'a change commits', 'its fence begins'],
    ...['fence lists: snapshot', 'fence lists: answer', 'fence lists: snapshot', 'fence lists: answer'],
    ...['fence reads the epoch: snapshot', 'fence reads the epoch: answer'],
  ],
  'a fence that counts from before its list': [
    ...[
      'a change commits',
      'the change gets its epoch',
      'the worker renews',
      'worker registers: commit',
      'its fence begins',
      'time passes',
    ],
    ...['a read', 'worker registers: answer', 'worker loads: snapshot'],
    ...['worker renews: snapshot', 'worker renews: commit', 'worker renews: answer'],
    ...['fence lists: snapshot', 'fence lists: answer', 'fence lists: snapshot', 'fence lists: answer'],
    ...['fence marks: commit', 'fence marks: answer', 'fence reads the epoch: snapshot'],
    ...['fence reads the epoch: answer', 'a change commits', 'its fence begins'],
    ...['fence lists: snapshot', 'fence lists: answer', 'worker loads: answer'],
    ...['fence lists: snapshot', 'fence lists: answer'],
    ...['fence reads the epoch: snapshot', 'fence reads the epoch: answer'],
  ],
};
