/**
 * The workers' rows, the epoch and the changes in memory, with the behavior of the triggers and functions of
 * `src/store/schema`. Each method is one statement that runs and commits at once.
 * `test/faults/mutants/rows.long.test.ts` compares it with Postgres.
 */
import { ProviderError } from '../../src/protocol/errors.js';
import type {
  LeaseStore,
  RegisteredWorker,
  Renewal,
  SeenWorker,
  WorkerRegistration,
  WorkerRegistry,
} from '../../src/store/ports.js';

export class FakeRegistry implements LeaseStore, WorkerRegistry {
  epoch = 0;
  prunedTo = 0;
  /** The database's wall clock, which must not decide anything. */
  wallMs = 0;
  /** While `true`, every statement fails. */
  isAway = false;
  readonly #changes: { readonly epoch: number; readonly workspaceId: string }[] = [];
  readonly #rows = new Map<string, RegisteredWorker>();
  /** The workers that renewed since they registered. */
  readonly #leased = new Set<string>();
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

  async registerWorker(worker: WorkerRegistration): Promise<void> {
    this.#answer();
    const { workerId } = worker;
    const present = this.#rows.get(workerId);
    if (present?.state === 'live' && this.#leased.has(workerId)) {
      throw new ProviderError('SetupInvalid', 'another process has registered');
    }
    this.#leased.delete(workerId);
    const at = new Date(this.wallMs);
    const first = { ...worker, state: 'live' as const, appliedEpoch: 0, grantKeys: '', registeredAt: at, silentMs: 0 };
    this.#rows.set(workerId, { ...(present ?? first), state: 'live', renewal: this.#nextRenewal(), heardAt: at });
  }

  async renewLease(workerId: string, appliedEpoch: number, _timeoutMs?: number): Promise<Renewal | undefined> {
    this.#answer();
    return this.recordRenewal(workerId, appliedEpoch) ? this.changesSince(appliedEpoch) : undefined;
  }

  /** The first half of a renewal. @returns whether the row is live */
  recordRenewal(workerId: string, appliedEpoch: number): boolean {
    const row = this.#rows.get(workerId);
    if (row?.state !== 'live') return false;
    this.#leased.add(workerId);
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
  }

  async listWorkers(): Promise<readonly RegisteredWorker[]> {
    this.#answer();
    return [...this.#rows.values()];
  }

  async markVanished(workers: readonly SeenWorker[]): Promise<readonly string[]> {
    this.#answer();
    const marked = this.#unchanged(workers, 'live');
    for (const row of marked) this.#rows.set(row.workerId, { ...row, state: 'vanished' });
    return marked.map(({ workerId }) => workerId);
  }

  async forgetWorkers(workers: readonly SeenWorker[]): Promise<readonly string[]> {
    this.#answer();
    const forgotten = this.#unchanged(workers, 'vanished').map(({ workerId }) => workerId);
    for (const workerId of forgotten) this.#rows.delete(workerId);
    return forgotten;
  }

  async readEpoch(): Promise<number> {
    this.#answer();
    return this.epoch;
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
