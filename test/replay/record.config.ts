/** For `record.ts` and `record-rotations.ts` alone, which are no tests: they are run by hand. */
import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: that is where vitest looks
export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/replay/record.ts', 'test/replay/record-rotations.ts'],
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
