/**
 * Three tiers, told apart by the ending of a test's file name:
 * - `x.test.ts` (unit): needs no server and no build.
 * - `x.integration.test.ts`: on a real Postgres and a real Temporal, which are started once per tier, and on the build.
 * - `x.long.test.ts`: kills processes, waits out leases, starts its own servers, rehearses the runbook, or alters texts by
 *   the hundred thousand. CI runs it on one Node version, the other two tiers on each.
 */
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const INTEGRATION = ['test/**/*.integration.test.ts'];
const LONG = ['test/**/*.long.test.ts'];

const onRealParts = {
  globalSetup: 'test/support/global-setup.ts',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  sequence: { groupOrder: 1 },
};

export default defineConfig({
  // Examples import the package by its name, as users do.
  resolve: {
    alias: [
      { find: /^workspace-providers\/(\w+)$/, replacement: fileURLToPath(new URL('src/$1.ts', import.meta.url)) },
    ],
  },
  test: {
    // @temporalio/core-bridge is a native addon, and some tests send signals: a process each, no threads.
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
          // Some wait for a time limit of a second.
          maxWorkers: 4,
          // Half of their time was loading the same packages again for each file.
          isolate: false,
          setupFiles: 'test/support/fresh-process.ts',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: INTEGRATION,
          ...onRealParts,
          isolate: false,
          setupFiles: ['one-protobufjs', 'fresh-process', 'fresh-runtime'].map((file) => `test/support/${file}.ts`),
        },
      },
      { extends: true, test: { name: 'long', include: LONG, ...onRealParts } },
    ],
  },
});
