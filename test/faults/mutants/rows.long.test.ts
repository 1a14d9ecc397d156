/**
 * Shows that the rows in memory, which the exploration uses, behave like those in Postgres: both get the same random
 * statements, and must return the same answers and have the same rows after each.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Holder } from '../../../src/protocol/rotation.js';
import type { HolderRegistry, LeaseStore, RegisteredWorker, WorkerRegistry } from '../../../src/store/ports.js';
import { openProviderStore } from '../../../src/store/provider-store.js';
import { withSession } from '../../support/database.js';
import { FakeRegistry, type Held } from '../../support/fake-registry.js';
import { useDatabase } from '../../support/use-database.js';

const database = useDatabase();

interface Side extends LeaseStore, WorkerRegistry, HolderRegistry {
  /** In one transaction. */
  change(...workspaceIds: string[]): number | Promise<number>;
}

type RegisteredWorkers = readonly RegisteredWorker[];

const workerId = fc.constantFrom('w1', 'w2');
/** The number of statements since the rows were read. */
const ago = fc.nat(3);

const provider = fc.record({
  ...{ workspaceId: fc.constantFrom('ws_a', 'ws_b'), type: fc.constant('llm'), name: fc.constantFrom('a', 'b') },
});
const version = fc.integer({ min: 1, max: 3 });
const held: fc.Arbitrary<Held> = fc.oneof(
  fc.uniqueArray(fc.record({ provider, version, count: fc.constant(1), longestMs: fc.constant(5) }), {
    ...{ maxLength: 3, selector: (each) => JSON.stringify([each.provider, each.version]) },
  }),
  fc.constant('too-many' as const),
);
const question = fc.record({ provider, version, epoch: fc.nat(8) });

const workspaceIds = fc.uniqueArray(fc.constantFrom('ws_a', 'ws_b', 'ws_c'), { minLength: 1 });
const statement = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('register' as const), workerId }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('renew' as const), workerId, applied: fc.nat(8), held }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('ask' as const), question }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('mark' as const), ago }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('forget' as const), ago }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('deregister' as const), workerId }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('change' as const), workspaceIds }) },
);
type Statement = typeof statement extends fc.Arbitrary<infer Drawn> ? Drawn : never;

/** Runs a statement on one side. `seen` has its rows after each earlier statement. */
function run(side: Side, seen: readonly RegisteredWorkers[], each: Statement): Promise<unknown> | number {
  const rows = 'ago' in each ? (seen.at(-1 - each.ago) ?? []) : [];
  switch (each.does) {
    case 'register':
      return side.registerWorker(registration(each.workerId)).then(
        () => undefined,
        (error) => String(error.type),
      );
    case 'renew':
      return renew(side, each.workerId, each.applied, each.held);
    case 'ask':
      return side.listHolders(each.question).then((holders) => holders.map(holding).toSorted());
    case 'mark':
      return side.markVanished(rows).then((ids) => ids.toSorted());
    case 'forget':
      return side.forgetWorkers(rows).then((ids) => ids.toSorted());
    case 'deregister':
      return side.deregisterWorker(each.workerId);
    case 'change':
      return side.change(...each.workspaceIds);
  }
}

it('rows in memory behave like rows in Postgres', async () => {
  const property = fc.asyncProperty(fc.array(statement, { minLength: 5, maxLength: 30 }), async (statements) => {
    await withSession(database.ownerUrl, (session) =>
      session.query(`truncate provider_changes, provider_invalidations, resolver_workers;
        update provider_epoch set epoch = 0`),
    );
    // A store of its own: it forgets the tokens of the rows that were truncated.
    const workers = openProviderStore({ databaseUrl: database.resolverUrl });
    const { listWorkers, listHolders, markVanished, forgetWorkers, readEpoch } = database.manager;
    const registry = { listWorkers, listHolders, markVanished, forgetWorkers, readEpoch };
    const real: Side = { ...workers, ...registry, change: changeReal };
    const fake = new FakeRegistry();
    const seen: { readonly inFake: RegisteredWorkers[]; readonly inReal: RegisteredWorkers[] } = {
      inFake: [],
      inReal: [],
    };
    for (const each of statements) {
      expect(await run(fake, seen.inFake, each)).toEqual(await run(real, seen.inReal, each));
      seen.inFake.push(await fake.listWorkers());
      seen.inReal.push(await real.listWorkers());
      expect(comparable(seen.inFake.at(-1))).toEqual(comparable(seen.inReal.at(-1)));
      expect(fake.epoch).toBe((await real.readEpoch()).epoch);
    }
    await workers.close();
  });
  await fc.assert(property, { seed: 5, numRuns: 25 });
});

function registration(id: string) {
  return { workerId: id, taskQueue: `queue-${id}`, identity: 'i', build: '0', leaseMs: 1_000, longestStepMs: 1_000 };
}

/** How long it is held is a matter of the clock. */
function holding({ workerId: id, held: versions }: Holder): string {
  return `${id} holds ${versions.map((each) => `${each.version}×${each.count}`).toSorted()}`;
}

async function renew(side: Side, id: string, applied: number, holds: Held) {
  const renewal = await side.renewLease(id, applied, 10_000, '', holds);
  if (renewal === undefined) return renewal;
  // The clock of the rows in memory is another one.
  const { databaseMs: _, ...reported } = renewal;
  return reported.changed === 'everything' ? reported : { ...reported, changed: reported.changed.toSorted() };
}

/** Changes workspaces as the trigger does. */
async function changeReal(...workspaceIds: string[]): Promise<number> {
  return withSession(database.ownerUrl, async (session) => {
    await session.query('insert into provider_changes select unnest($1::text[])', [workspaceIds]);
    return (await database.manager.readEpoch()).epoch;
  });
}

/** Removes the fields that differ between the sides: opaque values, and texts for people. */
function comparable(workers: RegisteredWorkers = []) {
  const facts = workers.map(({ workerId: id, state, appliedEpoch, leaseMs }) => ({ id, state, appliedEpoch, leaseMs }));
  return facts.sort((a, b) => a.id.localeCompare(b.id));
}
