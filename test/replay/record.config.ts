/** Only for `record.ts` and `record-rotations.ts`, which are not tests: they are run by hand. */
import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/replay/record.ts', 'test/replay/record-rotations.ts'],
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
