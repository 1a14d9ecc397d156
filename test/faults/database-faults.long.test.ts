/** Each fault of the database once; `npm run test:faults` repeats them for as long as it runs. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DATABASE_FAULTS, runDatabaseFaults } from './database-faults.js';
import { Ledger } from './ledger.js';

test('every worker reports a fault of its database within two renewals, and no fence is reported during it [G16]', {
  timeout: 180_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-faults-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // Postgres may run as another user.
  await chmod(folder, 0o755);
  const ledger = new Ledger();
  await runDatabaseFaults(folder, ledger, DATABASE_FAULTS, AbortSignal.abort());
  expect(ledger.oddities).toEqual([]);
  expect(ledger.faults).toEqual(Object.fromEntries(DATABASE_FAULTS.map((kind) => [kind, 1])));
  expect(ledger.databaseReads).toBeGreaterThan(0);
});
