/**
 * A database whose statements stop between their steps, as those of Postgres may stop between taking a snapshot,
 * committing and answering. The schedule decides which statement continues. A step itself is atomic.
 */
import { ProviderError } from '../../../src/protocol/errors.js';
import type {
  HolderRegistry,
  LeaseStore,
  ProviderRecord,
  Renewal,
  WorkerRegistration,
  WorkerRegistry,
  WorkspaceSnapshot,
} from '../../../src/store/ports.js';
import { FakeRegistry } from '../../support/fake-registry.js';

/** The statements that a session of one process can send. */
export interface Session extends LeaseStore, WorkerRegistry, HolderRegistry {
  /** The present lineage, only for mutants. */
  readonly lineage: string;
  readWorkspace(workspaceId: string): Promise<WorkspaceSnapshot>;
  /** Only for a mutant, and not in Postgres: a renewal that inserts its row if it is missing. */
  renewOrRegister(worker: WorkerRegistration, appliedEpoch: number): Promise<Renewal>;
  /** Only for a mutant, and not in Postgres: reads the row in one snapshot and the epoch in the next. */
  readWorkspaceTwice(workspaceId: string): Promise<WorkspaceSnapshot>;
  /** Only for a mutant, and not in Postgres: marks rows even if they were renewed since they were read. */
  markRegardless: WorkerRegistry['markVanished'];
}

interface Statement {
  readonly name: string;
  /** The remaining steps. The result of the last one is the answer. */
  readonly steps: (readonly [name: string, run: () => unknown])[];
  result: unknown;
  /** `undefined` once the client has given up. The server continues. */
  client: { readonly answer: (result: unknown) => void; readonly fail: (error: Error) => void } | undefined;
}

export class SteppedDatabase {
  readonly rows = new FakeRegistry();
  /** The version of each provider. The sealed config of a row is its number. */
  version = 1;
  /** Whether the newest change is committed and has no epoch yet. */
  isUnnumbered = false;
  #underWay: Statement[] = [];

  constructor(private readonly providers: readonly Pick<ProviderRecord, 'type' | 'name'>[]) {}

  /** @param who - names the statements */
  session(who: string): Session {
    const send = <T>(what: string, ...steps: Statement['steps']) => this.#send<T>(`${who} ${what}`, steps);
    const { rows } = this;
    let renewal: Renewal;
    const snapshot = (appliedEpoch: number) => ['snapshot', () => (renewal = rows.changesSince(appliedEpoch))] as const;
    return {
      get lineage() {
        return rows.lineage;
      },
      registerWorker: (worker) => send('registers', ['commit', () => rows.registerWorker(worker)]),
      renewLease: (workerId, applied, _timeoutMs, _grantKeys, held) =>
        send('renews', snapshot(applied), [
          'commit',
          () => (rows.recordRenewal(workerId, applied, held) ? renewal : undefined),
        ]),
      renewOrRegister: (worker, applied) =>
        send('renews', snapshot(applied), [
          'commit',
          async () => {
            if (rows.row(worker.workerId)?.state !== 'live') await rows.registerWorker(worker);
            return rows.recordRenewal(worker.workerId, applied) && renewal;
          },
        ]),
      deregisterWorker: (workerId) => send('deregisters', ['commit', () => rows.deregisterWorker(workerId)]),
      listWorkers: () => send('lists', ['snapshot', () => rows.listWorkers()]),
      listHolders: (question) => send('looks at rows', ['snapshot', () => rows.listHolders(question)]),
      // Like the real one, sends no statement for an empty list.
      markVanished: async (workers) =>
        workers.length === 0 ? [] : send('marks', ['commit', () => rows.markVanished(workers)]),
      markRegardless: async (workers) => {
        const asTheyAre = () => workers.flatMap(({ workerId }) => rows.row(workerId) ?? []);
        return workers.length === 0 ? [] : send('marks', ['commit', () => rows.markVanished(asTheyAre())]);
      },
      forgetWorkers: async (workers) =>
        workers.length === 0 ? [] : send('forgets', ['commit', () => rows.forgetWorkers(workers)]),
      readEpoch: () => send('reads the epoch', ['snapshot', () => rows.readEpoch()]),
      readWorkspace: () => send('loads', ['snapshot', () => this.#read()]),
      readWorkspaceTwice: () => {
        let read: WorkspaceSnapshot;
        return send(
          'loads',
          ['row’s snapshot', () => (read = this.#read())],
          ['epoch’s snapshot', () => ({ ...read, epoch: rows.epoch })],
        );
      },
    };
  }

  /** Commits a change. It gets its epoch later. */
  change(): void {
    this.version += 1;
    this.isUnnumbered = true;
  }

  /**
   * Goes back to what it was when it had this epoch. Versions that are numbered again mean something else, so they get
   * other numbers here.
   */
  goBack(version: number): void {
    this.version = version;
    this.isUnnumbered = false;
  }

  /** Gives the committed change its epoch, as a renewal of any worker and each fence do. @returns the newest epoch */
  number(workspaceId: string): number {
    if (this.isUnnumbered) this.rows.change(workspaceId);
    this.isUnnumbered = false;
    return this.rows.epoch;
  }

  /** The next step of each statement, and for statements with a waiting client the loss of the connection. */
  actions(mayLose: boolean): Map<string, () => void> {
    const actions = new Map<string, () => void>();
    for (const statement of this.#underWay) {
      const [step] = statement.steps;
      const name = `${statement.name}: ${step?.[0] ?? 'answer'}`;
      if (!actions.has(name)) actions.set(name, () => this.#goOn(statement));
      if (mayLose && statement.client) actions.set(`${statement.name}: lost`, () => this.#lose(statement));
    }
    return actions;
  }

  #send<T>(name: string, steps: Statement['steps']): Promise<T> {
    return new Promise<T>((resolve, fail) => {
      const client = { answer: (result: unknown) => resolve(result as T), fail };
      this.#underWay.push({ name, steps, result: undefined, client });
    });
  }

  #goOn(statement: Statement): void {
    const step = statement.steps.shift();
    if (step) statement.result = step[1]();
    else statement.client?.answer(statement.result);
    if (!step || (statement.steps.length === 0 && !statement.client)) this.#end(statement);
  }

  #lose(statement: Statement): void {
    statement.client?.fail(new ProviderError('StoreUnavailable', 'Postgres does not answer'));
    statement.client = undefined;
    if (statement.steps.length === 0) this.#end(statement);
  }

  #end(ended: Statement): void {
    this.#underWay = this.#underWay.filter((statement) => statement !== ended);
  }

  #read(): WorkspaceSnapshot {
    const { version } = this;
    const row = { config: {}, encryptedConfig: String(version), version, status: 'active' as const };
    const providers = this.providers.map((provider) => ({ ...provider, ...row }));
    return { epoch: this.rows.epoch, lineage: this.rows.lineage, dataKeys: [], providers };
  }
}
