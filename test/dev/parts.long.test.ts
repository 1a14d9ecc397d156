/** Postgres and Temporal together: started or taken from the environment, and stopped with the starting process. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
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
  test('uses the servers that the environment names, and does not stop them', async () => {
    const parts = await startParts({ env: { DATABASE_URL: postgresUrl(), TEMPORAL_ADDRESS: temporalAddress() } });
    expect(parts).toMatchObject({ databaseUrl: postgresUrl(), temporalAddress: temporalAddress() });
    expect(parts.temporalUiUrl).toBeUndefined();
    expect(await readdir(temporaryFolder)).toEqual([]);
    await parts.stop();
    await answers(postgresUrl());
    await (await Connection.connect({ address: temporalAddress() })).close();
  });

  test('starts the server that is not named, and stops only that one', async () => {
    const parts = await startParts({ temporalAddress: temporalAddress(), env: { ...process.env, DATABASE_URL: '' } });
    await answers(parts.databaseUrl);
    await Promise.all([parts.stop(), parts.stop()]);
    await parts.stop();
    expect(await isListening(portOf(parts.databaseUrl))).toBe(false);
    expect(await readdir(temporaryFolder)).toEqual([]);
  });

  test('stops one server if the other does not start', async () => {
    const starting = startParts({ env: { ...process.env, DATABASE_URL: '', TEMPORAL_CLI_PATH: '/missing' } });
    await expect(starting).rejects.toThrow('TEMPORAL_CLI_PATH must be an executable file, and /missing is not');
    expect(await readdir(temporaryFolder)).toEqual([]);
    expect((await run('ps', ['-ww', '-eo', 'args='])).stdout).not.toContain(temporaryFolder);
  });

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
