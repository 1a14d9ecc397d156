/** The embedded Temporal dev server, observed through its frontend, its UI and the process list. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTemporal, type TemporalOptions, type TemporalPart } from '../../src/dev/temporal.js';
import { clearElsewhere, publicFolder } from './elsewhere.js';

const run = promisify(execFile);
const KEYWORD = 2;
const POLL_LIMIT = 'history.transferProcessorMaxPollRPS';

let temporaryFolder: string;
const started: TemporalPart[] = [];

beforeEach(async () => {
  temporaryFolder = await publicFolder();
  vi.stubEnv('TMPDIR', temporaryFolder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(started.splice(0).map((part) => part.stop()));
  await clearElsewhere();
});

async function start(options?: TemporalOptions): Promise<TemporalPart> {
  const part = await startTemporal(options);
  started.push(part);
  return part;
}

async function connected<T>(address: string, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

/** The command line of a process, or an empty text if there is no such process. */
async function commandLine(pid: number): Promise<string> {
  return (await run('ps', ['-ww', '-o', 'args=', '-p', String(pid)]).catch(() => ({ stdout: '' }))).stdout;
}

describe('the embedded Temporal', () => {
  test('starts with its namespace, search attribute and UI, refuses a port in use, and leaves nothing behind', async () => {
    const temporal = await start({ namespace: 'ws-embedded' });
    await connected(temporal.address, async ({ workflowService, operatorService }) => {
      const { namespaceInfo } = await workflowService.describeNamespace({ namespace: 'ws-embedded' });
      expect(namespaceInfo?.name).toBe('ws-embedded');
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace: 'ws-embedded' });
      expect(customAttributes).toMatchObject({ WorkspaceId: KEYWORD });
    });
    expect(await (await fetch(temporal.uiUrl)).text()).toContain('<html');
    expect(await commandLine(temporal.pid)).toContain(`${POLL_LIMIT}=5000`);

    const port = Number(temporal.address.split(':')[1]);
    await expect(start({ port })).rejects.toThrow(`port ${port} of 127.0.0.1 cannot be used: EADDRINUSE`);
    expect(await readdir(temporaryFolder)).toHaveLength(1);

    await Promise.all([temporal.stop(), temporal.stop()]);
    expect(await commandLine(temporal.pid)).toBe('');
    expect(await readdir(temporaryFolder)).toEqual([]);
  });

  test("can keep its workflows in a file, and Temporal's own poll limit", async () => {
    const dbFile = join(await publicFolder(), 'temporal.db');
    const first = await start({ dbFile, raisedPollLimit: false });
    expect(await commandLine(first.pid)).toContain('start-dev');
    expect(await commandLine(first.pid)).not.toContain(POLL_LIMIT);
    await connected(first.address, (connection) =>
      new Client({ connection }).workflow.start('kept', { workflowId: 'kept', taskQueue: 'nobody' }),
    );
    await first.stop();

    const second = await start({ dbFile });
    const { status } = await connected(second.address, (connection) =>
      new Client({ connection }).workflow.getHandle('kept').describe(),
    );
    expect(status.name).toBe('RUNNING');
  });
});
