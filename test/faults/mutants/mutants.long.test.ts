/**
 * Shows that the tests notice a broken rule of the fence: each rule is broken once, and each time the test must fail.
 * All mutants but one are found by exploring schedules, which the protocol passes. `npm run test:mutants` prints how.
 */
import { beforeAll, expect, it, vi } from 'vitest';
import { withSession } from '../../support/database.js';
import { databaseForTest } from '../../support/use-database.js';
import { explore, replay, shrink } from './explore.js';
import { KEPT_SCHEDULES, MUTANTS } from './mutants.js';
import { PROTOCOL } from './protocol.js';
import { REQUEST_MUTANTS, REQUEST_SCHEDULES } from './request-mutants.js';
import { commitInOtherOrder, SEQUENCE_FOR_EPOCH } from './sequence.js';

declare module 'vitest' {
  interface TaskMeta {
    /** What the test found, for `reporter.ts`. */
    seen?: string;
  }
}

/** Each lost lineage would print one. */
beforeAll(() => void vi.spyOn(process, 'emitWarning').mockImplementation(() => {}));

/** About three times what the hardest mutant needs. */
const BOUNDS = { seed: 2, schedules: 10_000 };
const STEP_BOUNDS = { seed: 2, schedules: 5_000, hasStep: true };
const TIMEOUT_MS = 180_000;

it('the protocol holds over all schedules', { timeout: TIMEOUT_MS }, async ({ task }) => {
  for (const kept of Object.values(KEPT_SCHEDULES)) expect(await replay(PROTOCOL, kept)).toBeUndefined();
  const { violation, schedule, schedules, reads, fences } = await explore(PROTOCOL, BOUNDS);
  task.meta.seen = `${schedules} schedules, ${fences} fences, ${reads} reads; seed ${BOUNDS.seed}`;
  expect({ violation, schedule }).toEqual({ violation: undefined, schedule: [] });
  // The result is only a proof if enough happened.
  expect(fences).toBeGreaterThan(schedules / 10);
  expect(reads).toBeGreaterThan(schedules);
});

for (const [name, parts] of Object.entries(MUTANTS)) {
  it(`mutant: ${name}`, { timeout: TIMEOUT_MS }, async ({ task }) => {
    const mutant = { ...PROTOCOL, ...parts };
    const found = await explore(mutant, { ...BOUNDS, kept: KEPT_SCHEDULES[name] });
    expect(found.violation).toBeDefined();
    const shortest = await shrink(mutant, found.schedule);
    expect(await replay(mutant, shortest)).toBeDefined();
    expect(await replay(PROTOCOL, shortest)).toBeUndefined();
    task.meta.seen = `${found.violation}; schedule ${found.schedules}, which comes down to ${shortest.length} actions`;
  });
}

it('the protocol holds for the requests of a long step over all schedules', { timeout: TIMEOUT_MS }, async ({
  task,
}) => {
  for (const kept of Object.values(REQUEST_SCHEDULES))
    expect(await replay(PROTOCOL, kept, { hasStep: true })).toBeUndefined();
  const { violation, schedule, schedules, heads, drains } = await explore(PROTOCOL, STEP_BOUNDS);
  task.meta.seen = `${schedules} schedules, ${heads} heads, ${drains} drains; seed ${BOUNDS.seed}`;
  expect({ violation, schedule }).toEqual({ violation: undefined, schedule: [] });
  expect(heads).toBeGreaterThan(schedules);
  expect(drains).toBeGreaterThan(schedules / 50);
});

for (const [name, parts] of Object.entries(REQUEST_MUTANTS)) {
  it(`mutant: ${name}`, { timeout: TIMEOUT_MS }, async ({ task }) => {
    const hasStep = true;
    const mutant = { ...PROTOCOL, ...parts };
    const found = await explore(mutant, { ...STEP_BOUNDS, kept: REQUEST_SCHEDULES[name] });
    expect(found.violation).toBeDefined();
    const shortest = await shrink(mutant, found.schedule, { hasStep });
    expect(await replay(mutant, shortest, { hasStep })).toBeDefined();
    expect(await replay(PROTOCOL, shortest, { hasStep })).toBeUndefined();
    task.meta.seen = `${found.violation}; schedule ${found.schedules}, which comes down to ${shortest.length} actions`;
  });
}

it('the protocol holds if transactions commit in another order', async () => {
  const database = await databaseForTest();
  const { served, changedTo } = await commitInOtherOrder(database);
  expect([undefined, changedTo]).toContain(served);
});

it('mutant: an epoch from a sequence, taken before the commit', async ({ task }) => {
  const database = await databaseForTest();
  await withSession(database.ownerUrl, (session) => session.query(SEQUENCE_FOR_EPOCH));
  const { served, changedTo } = await commitInOtherOrder(database);
  expect(served).toBe(changedTo - 1);
  task.meta.seen = `a hit returned version ${served}, and ${changedTo} was done; two transactions on Postgres`;
});
