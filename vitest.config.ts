/**
 * Three projects, told apart by folder: `integration` and `long` tests run on a real Postgres and a real Temporal, started
 * once for each; `unit` tests do not wait for them. `vitest run test/sealing` starts none. Long ones kill processes, wait
 * out leases, start servers, or one command after the other, rehearse the runbook, or alter texts by the hundred
 * thousand: CI runs them on one Node, all the others on each.
 */
import { configDefaults, defineConfig } from 'vitest/config';

const testsIn = (folders: readonly string[]) => folders.map((folder) => `test/${folder}/**/*.test.ts`);

const INTEGRATION = testsIn(['integration', 'store', 'activities', 'workflows', 'worker', 'client', 'cli', 'replay']);

const LONG = [
  ...testsIn(['dev', 'e2e', 'faults', 'rotation', 'schedules']),
  ...['audit', 'failures', 'fence', 'grant-keys', 'processes', 'root-key', 'rotate', 'terminal'].map(
    (commands) => `test/cli/${commands}.test.ts`,
  ),
  // What the sources look like is the same on every Node; what the package does is not.
  ...['dependencies', 'deployment', 'promises', 'supply-chain', 'threat-model'].map(
    (rules) => `test/architecture/${rules}.test.ts`,
  ),
  'test/grants/alteration.test.ts',
  'test/sealing/altered-jwes.test.ts',
];

const onRealParts = {
  globalSetup: 'test/support/global-setup.ts',
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

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
          exclude: [...configDefaults.exclude, ...INTEGRATION, ...LONG],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: INTEGRATION,
          exclude: [...configDefaults.exclude, ...LONG],
          ...onRealParts,
        },
      },
      { extends: true, test: { name: 'long', include: LONG, ...onRealParts } },
    ],
  },
});
