/**
 * The workers' rows, the epoch and the changes in memory, with the behavior of the triggers and functions of
 * `src/store/schema`. Each method is one statement that runs and commits at once.
 * `test/faults/mutants/rows.long.test.ts` compares it with Postgres.
 */
import { ProviderError } from '../../src/protocol/errors.js';
import type { Holder } from '../../src/protocol/rotation.js';
import type {
  EpochReading,
  HeldCredential,
  HeldQuestion,
  HolderRegistry,
  LeaseStore,
  RegisteredWorker,
  Renewal,
  SeenWorker,
  WorkerRegistration,
  WorkerRegistry,
} from '../../src/store/ports.js';

/** The row of the workers that the database does not know. */
export const UNKNOWN = 'before';

/** What a renewal reports. */
export type Held = readonly HeldCredential[] | 'too-many';

export class FakeRegistry implements LeaseStore, WorkerRegistry, HolderRegistry {
  epoch = 0;
  lineage = 'first';
  prunedTo = 0;
  /** The database's wall clock, which must not decide anything. */
  wallMs = 0;
  /** While `true`, every statement fails. */
  isAway = false;
  readonly #changes: { readonly epoch: number; readonly workspaceId: string }[] = [];
  readonly #rows = new Map<string, RegisteredWorker>();
  /** The workers that renewed since they registered. */
  readonly #leased = new Set<string>();
  /** The lineage in which each worker has registered, as its store knows it. */
  readonly #lineages = new Map<string, string>();
  /** What each row says that steps hold. */
  readonly #held = new Map<string, Held>();
  #renewals = 0;

  /** Changes these workspaces in one transaction; `*` is a truncate. @returns the epoch of the change */
  change(...workspaceIds: string[]): number {
    this.epoch += 1;
    for (const workspaceId of workspaceIds) this.#changes.push({ epoch: this.epoch, workspaceId });
    return this.epoch;
  }

  row(workerId: string): RegisteredWorker | undefined {
    return this.#rows.get(workerId);
  }

  async registerWorker(worker: WorkerRegistration): Promise<string> {
    this.#answer();
    const { workerId } = worker;
    const present = this.#rows.get(workerId);
    const isOfThis = this.#lineages.get(workerId) === this.lineage;
    if (present?.state === 'live' && this.#leased.has(workerId) && isOfThis) {
      throw new ProviderError('SetupInvalid', 'another process has registered');
    }
    this.#leased.delete(workerId);
    const at = new Date(this.wallMs);
    const first = { ...worker, state: 'live' as const, appliedEpoch: 0, grantKeys: '', registeredAt: at, silentMs: 0 };
    this.#rows.set(workerId, { ...(present ?? first), state: 'live', renewal: this.#nextRenewal(), heardAt: at });
    this.#lineages.set(workerId, this.lineage);
    return this.lineage;
  }

  async renewLease(
    workerId: string,
    appliedEpoch: number,
    _timeoutMs?: number,
    _grantKeys?: string,
    held?: Held,
  ): Promise<Renewal | undefined> {
    this.#answer();
    return this.recordRenewal(workerId, appliedEpoch, held) ? this.changesSince(appliedEpoch) : undefined;
  }

  /** The first half of a renewal. @returns whether the row is live */
  recordRenewal(workerId: string, appliedEpoch: number, held: Held = []): boolean {
    const row = this.#rows.get(workerId);
    if (row?.state !== 'live' || this.#hasMoved(workerId, appliedEpoch)) return false;
    this.#leased.add(workerId);
    this.#held.set(workerId, held);
    this.#rows.set(workerId, {
      ...row,
      renewal: this.#nextRenewal(),
      heardAt: new Date(this.wallMs),
      appliedEpoch: Math.max(row.appliedEpoch, appliedEpoch),
    });
    return true;
  }

  /** The second half of a renewal: its answer. */
  changesSince(appliedEpoch: number): Renewal {
    const since = this.#changes.filter(({ epoch }) => epoch > appliedEpoch).map(({ workspaceId }) => workspaceId);
    const changed = [...new Set(since)];
    const isTooMuch = appliedEpoch < this.prunedTo || changed.includes('*') || changed.length > 1_000;
    return { epoch: this.epoch, changed: isTooMuch ? 'everything' : changed };
  }

  async deregisterWorker(workerId: string): Promise<void> {
    this.#answer();
    this.#rows.delete(workerId);
    this.#held.delete(workerId);
  }

  async listHolders({ provider, version, epoch }: HeldQuestion): Promise<readonly Holder[]> {
    this.#answer();
    const isAsked = (held: HeldCredential) =>
      held.version < (version ?? Number.POSITIVE_INFINITY) &&
      Object.entries(provider).every(([part, text]) => held.provider[part as keyof typeof held.provider] === text);
    return [...this.#rows.values()].flatMap(({ workerId, identity, appliedEpoch }) => {
      const held = this.#held.get(workerId) ?? [];
      if (appliedEpoch < epoch || held === 'too-many') return [{ workerId, identity, held: [] }];
      const older = held.filter(isAsked);
      return older.length === 0 ? [] : [{ workerId, identity, held: older }];
    });
  }

  async listWorkers(): Promise<readonly RegisteredWorker[]> {
    this.#answer();
    return [...this.#rows.values()];
  }

  async markVanished(workers: readonly SeenWorker[]): Promise<readonly string[]> {
    this.#answer();
    const marked = this.#unchanged(workers, 'live');
    for (const row of marked) this.#rows.set(row.workerId, { ...row, state: 'vanished' });
    if (marked.some(({ workerId }) => workerId === UNKNOWN)) this.#rows.delete(UNKNOWN);
    return marked.map(({ workerId }) => workerId);
  }

  async forgetWorkers(workers: readonly SeenWorker[]): Promise<readonly string[]> {
    this.#answer();
    const forgotten = this.#unchanged(workers, 'vanished').map(({ workerId }) => workerId);
    for (const workerId of forgotten) {
      this.#rows.delete(workerId);
      this.#held.delete(workerId);
    }
    return forgotten;
  }

  async readEpoch(): Promise<EpochReading> {
    this.#answer();
    return { epoch: this.epoch, lineage: this.lineage };
  }

  /** As after a restore: the epoch is an earlier one, and the rows are vanished, or gone. */
  goBack(epoch: number, longestLeaseMs: number, knowsWorkers = true): void {
    if (!knowsWorkers) {
      this.#rows.clear();
      this.#held.clear();
    }
    this.goBackUnnoticed(epoch);
    this.lineage += ', again';
    for (const row of this.#rows.values()) this.#rows.set(row.workerId, { ...row, state: 'vanished' });
    const unknown = { taskQueue: 'none', identity: 'unknown workers', build: '-', longestStepMs: 0 };
    const at = new Date(this.wallMs);
    this.#rows.set(UNKNOWN, {
      ...{ ...unknown, workerId: UNKNOWN, state: 'live', leaseMs: longestLeaseMs, renewal: this.#nextRenewal() },
      ...{ appliedEpoch: -1, grantKeys: '', registeredAt: at, heardAt: at, silentMs: 0 },
    });
  }

  /** Only for a mutant: the database does not notice. */
  goBackUnnoticed(epoch: number): void {
    this.epoch = epoch;
    this.#changes.splice(0, this.#changes.length, ...this.#changes.filter((change) => change.epoch <= epoch));
  }

  /** A worker that has moved forgets its lineage, and may register over its own live row. */
  #hasMoved(workerId: string, appliedEpoch: number): boolean {
    const hasMoved = this.#lineages.get(workerId) !== this.lineage || appliedEpoch > this.epoch;
    if (hasMoved) this.#lineages.delete(workerId);
    return hasMoved;
  }

  #unchanged(workers: readonly SeenWorker[], state: RegisteredWorker['state']): RegisteredWorker[] {
    return [...this.#rows.values()].filter(
      (row) =>
        row.state === state &&
        workers.some(({ workerId, renewal }) => workerId === row.workerId && renewal === row.renewal),
    );
  }

  #nextRenewal(): string {
    this.#renewals += 1;
    return String(this.#renewals);
  }

  #answer(): void {
    if (this.isAway) throw new ProviderError('StoreUnavailable', 'Postgres does not answer');
  }
}
