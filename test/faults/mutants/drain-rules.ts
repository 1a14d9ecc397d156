/** The rules of the drain (ADR 22), and of the connections and the time of loads. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { LoadLimit } from '../../../src/fence/load-limit.js';
import { openDatabase } from '../../../src/store/pool.js';
import { openProviderStore, type ProviderStoreOptions, readWorkspace } from '../../../src/store/provider-store.js';
import { leaseStore, WorkerTokens } from '../../../src/store/worker-store.js';
import { withSession } from '../../support/database.js';
import { withWorker } from './rule-worker.js';
import type { Rule, WorkerStore } from './rules.js';

const LIST_HOLDERS = 'list_holders';
/** Enough for any answer, and less than the time limits of statements. */
const SOON_MS = 2_000;

/** Each renewal sends what was held before the last changes were applied, with the epoch of now. */
function withEarlierReport(options: ProviderStoreOptions): WorkerStore {
  const store = openProviderStore(options);
  let earlier: Parameters<WorkerStore['renewLease']>[4] = [];
  return {
    ...store,
    renewLease(workerId, epoch, timeoutMs, grantKeys, held) {
      const sent = earlier;
      earlier = held;
      return store.renewLease(workerId, epoch, timeoutMs, grantKeys, sent);
    },
  };
}

function withoutTooMany(options: ProviderStoreOptions): WorkerStore {
  const store = openProviderStore(options);
  return {
    ...store,
    renewLease: (workerId, epoch, timeoutMs, grantKeys, held) =>
      store.renewLease(workerId, epoch, timeoutMs, grantKeys, held === 'too-many' ? [] : held),
  };
}

function withOnePool(options: ProviderStoreOptions): WorkerStore {
  const database = openDatabase(options, 'provider_resolver');
  return {
    ...leaseStore(database, new WorkerTokens()),
    readWorkspace: (workspaceId, signal) => readWorkspace(database, workspaceId, signal),
    close: () => database.close(),
  };
}

class WithoutLimit extends LoadLimit {
  override readonly onRenewal = () => {};
}

class OnlyForLaterLoads extends LoadLimit {
  #hasFailed = false;
  override readonly onRenewal = (succeeded: boolean) => {
    this.#hasFailed = !succeeded;
  };
  override run<Result>(load: (signal: AbortSignal) => Promise<Result>) {
    const limit = new LoadLimit();
    if (this.#hasFailed) limit.onRenewal(false);
    return limit.run(load);
  }
}

export const DRAIN_RULES: Readonly<Record<string, Rule>> = {
  'a drain waits for a step that holds the older version, and for no other': {
    check: withWorker(async ({ step, drainOf, keeper, manager }) => {
      const end = await step();
      const question = await drainOf();
      await keeper.renew();
      const during = await manager.listHolders(question);
      await end();
      await keeper.renew();
      if (during.length === 0) return 'a drain ended while a step held the older version';
      return (await manager.listHolders(question)).length > 0 ? 'a drain waits for a step that has ended' : undefined;
    }),
    mutants: {
      'what steps hold is read before changes are applied': { parts: { openStore: withEarlierReport } },
      'running steps are not marked before a change counts as applied': { parts: { outdating: (cache) => cache } },
      'a report of the same version counts': { sql: [LIST_HOLDERS, 'step.version < p_version', 'step.version < 0'] },
    },
  },
  'a worker that has not applied the change counts as a holder, also if it vanished': {
    check: withWorker(async ({ step, drainOf, manager }) => {
      const end = await step();
      const question = await drainOf();
      const before = await manager.listHolders(question);
      await manager.markVanished(await manager.listWorkers());
      const after = await manager.listHolders(question);
      await end();
      if (before.length === 0) return 'a drain did not wait for a worker that had not applied the change';
      return after.length === 0 ? 'a drain did not wait for a worker that vanished' : undefined;
    }),
    mutants: {
      'a row without the epoch counts as clear': { sql: [LIST_HOLDERS, 'worker.applied_epoch < p_epoch or ', ''] },
      'a vanished worker counts as clear': {
        sql: [
          LIST_HOLDERS,
          'where worker.applied_epoch < p_epoch',
          `where worker.state = 'live' and worker.applied_epoch < p_epoch`,
        ],
      },
    },
  },
  'a worker that holds too much to report counts as a holder': {
    check: withWorker(async ({ scopes, read, drainOf, keeper, manager }) => {
      const reference = await read();
      for (let index = 0; index < 201; index += 1) scopes.hold({ ...reference, name: `n-${index}` });
      const question = await drainOf();
      await keeper.renew();
      return (await manager.listHolders(question)).length === 0 ? 'too many counted as nothing' : undefined;
    }),
    mutants: {
      'too many to report is sent as nothing': { parts: { openStore: withoutTooMany } },
      'a row with too many counts as clear': { sql: [LIST_HOLDERS, 'worker.held is null or ', ''] },
    },
  },
  'renewals do not wait for loads': {
    check: withWorker(async ({ read, keeper }, { ownerUrl }) => {
      return withSession(ownerUrl, async (session) => {
        await session.query('begin; lock table workspace_keys in access exclusive mode');
        const load = read('ws_other').catch(() => {});
        const isBlocked = `select from pg_locks where relation = 'workspace_keys'::regclass and not granted`;
        while ((await session.query(isBlocked)).rowCount === 0) await delay(5);
        const renewed = await Promise.race([keeper.renew().then(() => true), delay(SOON_MS, false)]);
        await session.query('rollback');
        await load;
        return renewed ? undefined : 'a renewal waited for the connection of a load';
      });
    }, 1),
    mutants: { 'renewals use the connections of loads': { parts: { openStore: withOnePool } } },
  },
  'while renewals fail, a load fails soon, also one that was sent before': {
    async check(_database, { loadLimit }) {
      const limit = loadLimit();
      const load = () => limit.run((signal) => once(signal, 'abort').then(() => true));
      const before = load();
      limit.onRenewal(false);
      const ended = await Promise.all([before, load()].map((each) => Promise.race([each, delay(SOON_MS, false)])));
      return ended.every(Boolean) ? undefined : 'a load waits although renewals fail';
    },
    mutants: {
      'loads have no limit while renewals fail': { parts: { loadLimit: () => new WithoutLimit() } },
      'only later loads have the limit': { parts: { loadLimit: () => new OnlyForLaterLoads() } },
    },
  },
};
