/** For `record.ts` alone, which is no test: it is run by hand. */
import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: that is where vitest looks
export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/replay/record.ts'],
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
