/**
 * Faults of the database itself: it goes back, its guards are off, or it is a standby. Versions are lost here and count
 * again, so these faults have their own database and workers, and each value that is written has a number that never
 * comes twice. After a fence was reported, a read must return its value or a later one; whatever a restore loses is
 * forgiven. Each fault must be reported by every worker within two renewals, and no fence may be reported during it.
 */
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { PostgresPart } from '../../src/dev/postgres.js';
import { Janitor } from '../../src/fence/janitor.js';
import { Lease } from '../../src/fence/lease.js';
import { LeaseKeeper } from '../../src/fence/lease-keeper.js';
import { fenceChange } from '../../src/management/change-fence.js';
import { createParts } from '../../src/resolver/connect-parts.js';
import { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { openManagementStore } from '../../src/store/management-store.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { repair } from '../../src/store/repair.js';
import { withSession } from '../../src/store/session.js';
import { type RestartablePostgres, startRestartablePostgres } from '../../testbed/restartable-postgres.js';
import { migratedDatabase } from '../../testbed/stage-database.js';
import { Teardown } from '../../testbed/teardown.js';
import type { Ledger } from './ledger.js';
import { startMovingProxy } from './parts/moving-proxy.js';
import { WatchedWorkers } from './watched-workers.js';

const WORKERS = 3;
const LEASE_MS = 500;
const PATIENCE_MS = 20_000;
/** A standby starts from a copy that is a round old. */
const KEEP_LOG = { wal_keep_size: '512MB' };
/** This process also strikes all faults: its own reads must not delay them. */
const READ_EVERY_MS = 10;
const PROVIDER = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' } as const;

/** What makes the guards of a database unreliable, and a repair ends. */
const SABOTAGE = {
  triggersOff: 'alter table workspace_providers disable trigger user',
  triggersDowngraded: 'alter table workspace_providers enable trigger note_update, enable trigger keep_version',
  policyDropped: 'drop policy only_functions on resolver_workers; drop policy own_workspace on workspace_providers',
} as const;

export const DATABASE_FAULTS = [
  ...['restored', 'restoredAndOvertaken', 'promotedWithLoss', 'replicaByProxy'],
  ...Object.keys(SABOTAGE),
] as const;

/** Runs these kinds in turn until the signal is aborted and each has struck often enough. */
export async function runDatabaseFaults(
  folder: string,
  ledger: Ledger,
  kinds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (kinds.length === 0) return;
  const teardown = new Teardown();
  try {
    const ground = await Ground.open(folder, ledger, teardown);
    for (let turn = 0; !signal.aborted || ledger.isShortOf(kinds); turn += 1) {
      if (turn % kinds.length === 0) await ground.backUp();
      const kind = kinds[turn % kinds.length] ?? '';
      await ledger.awaitTurn([kind]);
      const startMs = performance.now();
      await ground.strike(kind).catch((error: unknown) => ledger.oddities.push(`${kind}: ${String(error)}`));
      ledger.countFault(kind, performance.now() - startMs);
    }
  } finally {
    await teardown.run();
  }
}

class Ground {
  /** The newest value that a reported fence vouches for. */
  #fenced = 0;
  /** Rises with each loss. A read that a loss interrupted is not judged. */
  #losses = 0;
  #written = 0;
  #isOver = false;
  readonly #workers = new WatchedWorkers(WORKERS);

  private constructor(
    private readonly folder: string,
    private readonly ledger: Ledger,
    private readonly postgres: RestartablePostgres,
    private readonly ownerUrl: string,
    private readonly manager: ReturnType<typeof openManagementStore>,
    private readonly moveTo: (port: number) => void,
  ) {}

  static async open(folder: string, ledger: Ledger, teardown: Teardown): Promise<Ground> {
    const postgres = await teardown.use(
      startRestartablePostgres({ dataFolder: `${folder}/ground`, settings: KEEP_LOG }),
    );
    const { resolverUrl, managerUrl } = await migratedDatabase(postgres.url);
    const proxy = await teardown.use(startMovingProxy(postgres.port));
    const manager = openManagementStore({ databaseUrl: proxy.through(managerUrl), queryTimeoutMs: 5_000 });
    teardown.defer(() => manager.close());
    const ground = new Ground(folder, ledger, postgres, postgres.url, manager, proxy.moveTo);
    teardown.defer(async () => {
      ground.#isOver = true;
      ground.#workers.end();
    });
    await ground.#change();
    await ground.#workers.start((onRenewal) => ground.#startWorker(proxy.through(resolverUrl), onRenewal, teardown));
    const endJanitor = new Janitor(manager).start();
    teardown.defer(async () => endJanitor());
    return ground;
  }

  async strike(kind: string): Promise<void> {
    if (kind === 'restored') return this.#restore(0);
    if (kind === 'restoredAndOvertaken') return this.#restore(6);
    if (kind === 'promotedWithLoss') return this.#promote();
    if (kind === 'replicaByProxy') return this.#moveToStandby();
    await this.#unguarded(
      kind,
      async () => this.#sql(SABOTAGE[kind as keyof typeof SABOTAGE]),
      async () => void (await repair(this.ownerUrl)),
    );
  }

  async #startWorker(databaseUrl: string, onRenewal: (succeeded: boolean) => void, teardown: Teardown): Promise<void> {
    const store = openProviderStore({ databaseUrl, queryTimeoutMs: 1_000 });
    const lease = new Lease(LEASE_MS);
    // The number is in the place of the sealed secret.
    const sealer = { open: async (_: unknown, sealed: string) => JSON.stringify({ apiKey: sealed }) };
    const resolver = ProviderResolver.of(createParts({ store, sealer, lease, fetch }));
    const facts = { workerId: crypto.randomUUID(), taskQueue: 'q', identity: 'ground', build: '0' };
    const worker = { ...facts, leaseMs: LEASE_MS, longestStepMs: LEASE_MS };
    const keeper = new LeaseKeeper({ store, worker, lease, cache: resolver.parts.cache, onRenewal });
    await this.#patiently(() => keeper.start());
    const reading = this.#read(resolver);
    teardown.defer(async () => {
      this.#isOver = true;
      await reading;
      await keeper.stop();
      await store.close();
    });
  }

  async #read(resolver: ProviderResolver): Promise<void> {
    while (!this.#isOver) {
      const [floor, losses] = [this.#fenced, this.#losses];
      try {
        const reference = await resolver.resolveLlmKey({ workspaceId: PROVIDER.workspaceId, provider: PROVIDER.name });
        const { credential } = await resolver.open(reference);
        const value = Number(Buffer.from(credential.apiKey.split('.')[3] ?? '', 'base64url'));
        this.ledger.databaseReads += 1;
        if (value < floor && losses === this.#losses) {
          this.ledger.oddities.push(`a read returned value ${value} after the fence of ${floor} was reported`);
        }
      } catch {
        // A read may fail while the database cannot vouch for anything.
      }
      await delay(READ_EVERY_MS);
    }
  }

  /** @returns whether a fence was reported */
  async #change(): Promise<boolean> {
    this.#written += 1;
    const value = this.#written;
    const losses = this.#losses;
    const parts = ['{}', '', 'iv', String(value), 'tag'].map((part) => Buffer.from(part).toString('base64url'));
    const write = { config: {}, encryptedConfig: parts.join('.') };
    await fenceChange(this.manager, () => this.manager.putProvider(PROVIDER, write));
    if (losses === this.#losses) this.#fenced = Math.max(this.#fenced, value);
    return true;
  }

  /** The copy that the next faults go back to. */
  async backUp(): Promise<void> {
    await this.postgres.backUp();
    await this.#recovered();
  }

  async #restore(changes: number): Promise<void> {
    await this.#change();
    await this.#change();
    const reported = this.#workers.beforeFault();
    this.#lose();
    await this.postgres.restore();
    // By SQL, and without a fence, so that the epoch is ahead before any worker has renewed.
    for (let count = 0; count < changes; count += 1) {
      await this.#sql(`update workspace_providers set config = '{ "count": ${count} }'`);
      await this.#sql('select provider_api.number_changes(true)');
    }
    this.ledger.reportMs.push(await reported());
    await this.#recovered();
  }

  async #promote(): Promise<void> {
    const teardown = new Teardown();
    const standby = await this.#startStandby(false, teardown);
    try {
      await this.#change();
      await this.#change();
      const reported = this.#workers.beforeFault();
      this.#lose();
      await this.postgres.stop('immediate');
      await this.#sql('select pg_promote()', standby.port);
      this.moveTo(standby.port);
      this.ledger.reportMs.push(await reported());
      await this.#recovered();
    } finally {
      this.#lose();
      await this.postgres.restart();
      this.moveTo(this.postgres.port);
      await this.#recovered();
      await teardown.run();
    }
  }

  async #moveToStandby(): Promise<void> {
    const teardown = new Teardown();
    const standby = await this.#startStandby(true, teardown);
    try {
      await this.#sql('select pg_wal_replay_pause()', standby.port);
      await this.#change();
      await this.#unguarded(
        'replicaByProxy',
        async () => this.moveTo(standby.port),
        async () => this.moveTo(this.postgres.port),
      );
    } finally {
      await teardown.run();
    }
  }

  /** On the copy of this round. */
  async #startStandby(follows: boolean, teardown: Teardown): Promise<PostgresPart> {
    const folder = `${this.folder}/standby-${this.#written}`;
    teardown.defer(() => rm(folder, { recursive: true, force: true }));
    return teardown.use(this.postgres.startStandby(folder, follows));
  }

  async #unguarded(kind: string, begin: () => Promise<void>, end: () => Promise<void>): Promise<void> {
    const reported = this.#workers.beforeFault();
    await begin();
    try {
      const fenced = await this.#change().catch(() => false);
      if (fenced) this.ledger.oddities.push(`${kind}: a fence was reported`);
      this.ledger.reportMs.push(await reported());
    } finally {
      // A repair may meet the locks of a renewal, and asks then to be tried again.
      await this.#patiently(end);
    }
    await this.#recovered();
  }

  /** From now on, what was reported before may be lost. */
  #lose(): void {
    this.#losses += 1;
    this.#fenced = 0;
  }

  /** Waits until fences are reported and every worker has a live row again. */
  async #recovered(): Promise<void> {
    const haveRenewed = this.#workers.whenAllRenewed();
    await this.#patiently(async () => {
      await this.#change();
      const workers = await this.manager.listWorkers();
      const live = workers.filter(({ identity, state }) => identity === 'ground' && state === 'live');
      if (live.length < WORKERS || !haveRenewed()) throw new Error('not yet');
    });
  }

  async #patiently(attempt: () => Promise<unknown>): Promise<void> {
    for (const endMs = performance.now() + PATIENCE_MS; ; await delay(50)) {
      try {
        await attempt();
        return;
      } catch (error) {
        if (performance.now() > endMs) throw error;
      }
    }
  }

  async #sql(text: string, port: number = this.postgres.port): Promise<void> {
    const url = Object.assign(new URL(this.ownerUrl), { port: String(port) }).href;
    await withSession(url, (session) => session.query(text));
  }
}
