/**
 * Two projects, told apart by folder: `integration` tests run on a real Postgres and a real Temporal, started once for
 * the run; `unit` tests do not wait for them. `vitest run test/sealing` starts neither.
 */
import { configDefaults, defineConfig } from 'vitest/config';

const INTEGRATION = [
  'integration',
  'rotation',
  'schedules',
  'store',
  'activities',
  'workflows',
  'worker',
  'client',
  'cli',
  'replay',
  'e2e',
  'faults',
  'dev',
].map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    // @temporalio/core-bridge is a native addon, and some tests send signals: a process each, no threads
    pool: 'forks',
    // Tests of processes and servers wait more than they compute; vitest's own default on two cores is one.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...INTEGRATION],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: INTEGRATION,
          globalSetup: 'test/support/global-setup.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
