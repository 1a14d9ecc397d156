/**
 * Shows that each rule beside the lease is noticed if it is broken: of the drain, the lineage, the hints of changes, the
 * connection of renewals, the time of loads and abandoned rotations. `npm run test:mutants` prints how.
 */
import { beforeAll, expect, it, vi } from 'vitest';
import { databaseForTest } from '../../support/use-database.js';
import { DRAIN_RULES } from './drain-rules.js';
import { LINEAGE_RULES } from './lineage-rules.js';
import { ROTATION_RULES } from './rotation-rules.js';
import { mutateFunction, PARTS } from './rules.js';

/** Each lost lineage would print one. */
beforeAll(() => void vi.spyOn(process, 'emitWarning').mockImplementation(() => {}));

for (const [name, { check, mutants }] of Object.entries({ ...DRAIN_RULES, ...LINEAGE_RULES, ...ROTATION_RULES })) {
  it(name, async () => {
    expect(await check(databaseForTest, PARTS)).toBeUndefined();
  });

  for (const [mutant, { parts, sql }] of Object.entries(mutants)) {
    it(`mutant: ${mutant}`, async ({ task }) => {
      const open = async () => {
        const database = await databaseForTest();
        if (sql) await mutateFunction(database, sql);
        return database;
      };
      const seen = await check(open, { ...PARTS, ...parts });
      expect(seen).toBeDefined();
      task.meta.seen = seen;
    });
  }
}
