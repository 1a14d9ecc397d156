/** The rules of the lineage (ADR 19), and of the hints that a change and its numbering give (ADR 14). */
import { isProviderError } from '../../../src/protocol/errors.js';
import { type TestDatabase, withSession } from '../../support/database.js';
import { withWorker } from './rule-worker.js';
import type { Rule } from './rules.js';

/** As if another server process had the same data: after a restart, a restore, or a failover. */
const ANOTHER_SERVER = `update provider_epoch set server = 'another'`;
const COMPARED = '(stored.server, stored.guards) is not distinct from (seen_server, seen_guards)';
const HINT = 'if not exists (select from public.provider_changes where changed_by <> pg_current_xact_id()) then';

/** Runs the work, and returns the notifications that were sent meanwhile, in their order. */
async function notificationsDuring(database: TestDatabase, work: () => Promise<unknown>): Promise<string[]> {
  return withSession(database.ownerUrl, async (session) => {
    const heard: string[] = [];
    session.on('notification', ({ payload = '' }) => heard.push(payload));
    await session.query('listen provider_changes');
    await work();
    // Postgres delivers in the order of the commits: after this one, none of the others is missing.
    const all = new Promise<void>((resolve) =>
      session.on('notification', ({ payload }) => payload === 'end' && resolve()),
    );
    await session.query(`notify provider_changes, 'end'`);
    await all;
    return heard.filter((payload) => payload !== 'end');
  });
}

export const LINEAGE_RULES: Readonly<Record<string, Rule>> = {
  'a server that was replaced begins a new lineage': {
    check: withWorker(async ({ read, peek, owner, keeper, manager }) => {
      await read();
      await owner(ANOTHER_SERVER);
      await keeper.renew();
      if (peek()) return 'a worker serves what it had cached before the server was replaced';
      const workers = await manager.listWorkers();
      const isKnown = workers.some(({ workerId }) => workerId.startsWith('before.'));
      return isKnown ? undefined : 'a fence does not wait for workers that the database does not know';
    }),
    mutants: {
      'the server is not compared': {
        sql: ['present_lineage', COMPARED, 'stored.guards is not distinct from seen_guards'],
      },
      'a renewal does not compare the lineage': {
        sql: ['renew_lease', 'provider_api.present_lineage() is distinct from p_lineage', 'false'],
      },
      'no row stands for the leases of before': { sql: ['present_lineage', 'if longest > 0 then', 'if false then'] },
    },
  },
  'an epoch that is newer than the database is refused': {
    check: withWorker(async ({ read, peek, owner, keeper, change }) => {
      await change();
      await keeper.renew();
      await read();
      await owner('update provider_epoch set epoch = 0');
      await keeper.renew();
      return peek() ? 'a worker whose epoch the database does not know keeps its lease' : undefined;
    }),
    mutants: {
      'an epoch that is newer than the database is accepted': {
        sql: ['renew_lease', 'or p_applied_epoch > (select e.epoch from public.provider_epoch as e)', ''],
      },
    },
  },
  'a trigger that was off for a moment begins a new lineage': {
    check: withWorker(async ({ read, peek, owner, keeper }) => {
      await read();
      await owner(`alter table workspace_providers disable trigger note_update;
        alter table workspace_providers enable always trigger note_update`);
      await keeper.renew();
      return peek() ? 'a worker serves what it had cached before a trigger was off' : undefined;
    }),
    mutants: {
      'triggers and policies are not compared': {
        sql: ['present_lineage', COMPARED, 'stored.server is not distinct from seen_server'],
      },
    },
  },
  'while a trigger is off or a policy is missing, nothing is renewed or fenced': {
    check: withWorker(async ({ owner, keeper, manager }) => {
      for (const fault of [
        'alter table workspace_providers disable trigger note_update',
        'drop policy only_triggers on provider_versions',
      ]) {
        await owner(fault);
        for (const ask of [() => keeper.renew(), () => manager.readEpoch()]) {
          const error = await ask().catch((reason: unknown) => reason);
          if (!isProviderError(error, 'StoreUnavailable')) return `no error after: ${fault}`;
        }
        await owner('alter table workspace_providers enable always trigger note_update');
      }
      return undefined;
    }),
    mutants: {
      'a trigger that is off is not looked for': { sql: ['require_guards', `and t.tgenabled = 'A'`, ''] },
      'policies are not looked for': {
        sql: [
          'require_guards',
          'where not exists (\n      select from pg_policy',
          'where false and not exists (\n      select from pg_policy',
        ],
      },
    },
  },
  'what is loaded before the new lineage begins does not enter the cache': {
    check: withWorker(async ({ read, peek, owner, change }) => {
      await change('ws_other');
      await owner(ANOTHER_SERVER);
      await read('ws_other');
      return peek('ws_other') ? 'a load of a lineage that is about to end entered the cache' : undefined;
    }),
    mutants: {
      'a load has the lineage that is stored': {
        sql: ['read_workspace', 'case when e.server = provider_api.present_server() then e.lineage end', 'e.lineage'],
      },
    },
  },
  'a change gives a hint if no other change waits for its number, and numbering gives one': {
    check: withWorker(async ({ change, manager }, database) => {
      await manager.readEpoch();
      const first = await notificationsDuring(database, () => change());
      if (first.length !== 1) return `the first change gave ${first.length} hints`;
      const second = await notificationsDuring(database, () => change('ws_other'));
      if (second.length !== 0) return `a change behind another one gave ${second.length} hints`;
      const numbered = await notificationsDuring(database, () => manager.readEpoch());
      return numbered.length === 1 ? undefined : `numbering gave ${numbered.length} hints`;
    }),
    mutants: {
      'no change gives a hint': { sql: ['note_change', HINT, 'if false then'] },
      'every change gives a hint': { sql: ['note_change', HINT, 'if true then'] },
      'numbering gives no hint': {
        sql: ['number_changes', `perform pg_notify('provider_changes', newest::text)`, 'perform newest'],
      },
    },
  },
};
