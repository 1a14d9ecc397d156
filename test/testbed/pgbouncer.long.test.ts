/** How the testbed finds PgBouncer. `test/store/pool-pgbouncer.integration.test.ts` uses it. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findPgBouncer } from '../../testbed/pgbouncer-program.js';

it('without PgBouncer and apt-get, the error names what to install, and no partial download is kept', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-nowhere-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const env = { PATH: folder, HOME: folder, XDG_CACHE_HOME: folder };
  await expect(findPgBouncer({ env, log: () => {} })).rejects.toMatchObject({
    name: 'PartUnavailable',
    message: expect.stringMatching(/apt-get cannot download it .*: install it by apt-get install pgbouncer, or brew/),
  });
  expect(await readdir(join(folder, 'workspace-providers'))).toEqual([]);
});
