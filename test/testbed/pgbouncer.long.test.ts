/** Where PgBouncer comes from. What it does then: `test/store/pool-pgbouncer.integration.test.ts`. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findPgBouncer } from '../../testbed/pgbouncer-program.js';

it('on a system without it and without apt-get, it says what to install, and keeps nothing half fetched', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-nowhere-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const env = { PATH: folder, HOME: folder, XDG_CACHE_HOME: folder };
  await expect(findPgBouncer({ env, log: () => {} })).rejects.toMatchObject({
    name: 'PartUnavailable',
    message: expect.stringMatching(/apt-get cannot download it .*: install it by apt-get install pgbouncer, or brew/),
  });
  expect(await readdir(join(folder, 'workspace-providers'))).toEqual([]);
});
