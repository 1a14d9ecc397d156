/** The command `import`: what it reads, what it prints, and how it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOOPBACK_ENV } from '../../../testbed/loopback.js';
import { withSession } from '../../support/database.js';
import { uniqueName } from '../../support/parts.js';
import { registerSilentWorker } from '../../support/silent-worker.js';
import { CANARY, documentOf, NEW_CANARY, operator } from '../operator.js';
import { CLI } from '../run-cli.js';
import { runMeanwhile } from '../running-command.js';

const op = operator();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workspace-providers-import-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const lineOf = (workspaceId: string, apiKey = CANARY) =>
  `${JSON.stringify({ workspaceId, type: 'llm', name: 'anthropic', secret: { apiKey } })}\n`;
const versionOf = async (workspaceId: string) => {
  const { providers } = documentOf(await op.run(['list', workspaceId, '--json']));
  return providers[0]?.version;
};

describe('import', () => {
  it('reads stdin or a file, and prints what it did in one document or as lines', async () => {
    const [first, second] = [uniqueName('ws'), uniqueName('ws')];
    const ran = await op.run(['import', '--json'], { stdin: lineOf(first) });
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(documentOf(ran)).toEqual({
      ...{ providers: 1, added: 1, replaced: 0, unchanged: 0, skipped: 0, complete: true, dryRun: false },
      fence: expect.objectContaining({ complete: true }),
      fencedAt: expect.any(String),
    });
    const file = join(folder, 'providers.ndjson');
    await writeFile(file, lineOf(first) + lineOf(second), { mode: 0o600 });
    const dry = await op.run(['import', file, '--dry-run']);
    expect(dry).toMatchObject({ exitCode: 0, stdout: '✔ valid       1 to add · 1 unchanged · nothing was written\n' });
    expect(await versionOf(second)).toBeUndefined();
    expect((await op.run(['import', file])).stdout).toBe(
      '✔ imported    1 added · 1 unchanged\n✔ fenced      no worker is running\n',
    );
    expect(await versionOf(second)).toBe(1);
  });

  it('refuses a provider that exists with another key, until an option says what to do', async () => {
    const workspaceId = uniqueName('ws');
    await op.run(['import'], { stdin: lineOf(workspaceId) });
    const stdin = lineOf(workspaceId, NEW_CANARY);
    const refused = await op.run(['import'], { stdin });
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(`line 1: llm/anthropic of ${workspaceId} exists with another config or secret`);
    expect((await op.run(['import', '--skip-existing'], { stdin })).stdout).toContain('0 added · 1 skipped');
    expect(await versionOf(workspaceId)).toBe(1);
    expect((await op.run(['import', '--replace'], { stdin })).stdout).toContain('0 added · 1 replaced');
    expect(await versionOf(workspaceId)).toBe(2);
    expect((await op.run(['import', '--replace', '--skip-existing'], { stdin })).exitCode).toBe(2);
  });

  it('names the lines and fields that do not fit, and ends with 2', async () => {
    const workspaceId = uniqueName('ws');
    const stdin = `${lineOf(workspaceId)}{"name":"${CANARY}"}\n${CANARY}\n`;
    const ran = await op.run(['import', '--json'], { stdin });
    expect(ran).toMatchObject({ exitCode: 2, stderr: '' });
    expect(documentOf(ran).error).toMatchObject({
      type: 'ProviderConfigInvalid',
      lines: [
        { line: 2, fields: ['workspaceId', 'type'] },
        { line: 3, fields: [], message: 'is not valid JSON: write one provider per line' },
      ],
    });
    expect(await versionOf(workspaceId)).toBeUndefined();
  });

  it.each([
    ['a file that is not there', ['import', '/nowhere/providers.ndjson'], ''],
    ['an empty input', ['import'], '\n\n'],
  ])('ends with 2 for %s', async (_what, args, stdin) => {
    expect(await op.run(args, { stdin })).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('ends with 130 at Ctrl-C while it reads its input: nothing was written', async () => {
    const prefix = uniqueName('ws');
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, [CLI, 'import'], { env: { PATH, HOME, ...LOOPBACK_ENV, ...op.env } });
    const [printed, ended] = [text(child.stdout), once(child, 'close')];
    // One batch is checked, and then it waits for more.
    child.stdin.write(Array.from({ length: 300 }, (_, index) => lineOf(`${prefix}-${index}`)).join(''));
    const query = "select from pg_stat_activity where query like 'select read.*%' and datname = current_database()";
    await expect
      .poll(() => withSession(op.database.ownerUrl, async (session) => (await session.query(query)).rowCount), {
        timeout: 30_000,
      })
      .toBe(1);
    child.kill('SIGINT');
    await ended;
    expect(await printed).toBe('? interrupted nothing was imported\n');
    expect(child.exitCode).toBe(130);
    expect(await versionOf(`${prefix}-0`)).toBeUndefined();
  });

  it('ends with 130 at Ctrl-C while it waits for a worker: everything was written', async () => {
    const workspaceId = uniqueName('ws');
    await registerSilentWorker(op.database, 600_000);
    const { exitCode, said } = await runMeanwhile(['import'], {
      ...{ env: op.env, stdin: lineOf(workspaceId), said: /imported/ },
      act: (command) => command.kill('SIGINT'),
    });
    expect(said).toContain('not fenced');
    expect(exitCode).toBe(130);
    expect(await versionOf(workspaceId)).toBe(1);
  });

  it('with --no-wait does not wait for a worker', async () => {
    await registerSilentWorker(op.database, 600_000);
    const ran = await op.run(['import', '--no-wait'], { stdin: lineOf(uniqueName('ws')) });
    expect(ran).toMatchObject({ exitCode: 0, stdout: '✔ imported    1 added\n' });
  });
});
