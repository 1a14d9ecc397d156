/** What each command prints for people and for scripts, on a real Postgres. */
import { describe, expect, it } from 'vitest';
import { uniqueName } from '../support/parts.js';
import { CANARY, documentOf, NEW_CANARY, newRootKey, operator } from './operator.js';

const op = operator();

describe('configure', () => {
  it('reads the secret from a pipe, and prints the provider, its version and the end of its key', async () => {
    const ran = await op.run(['configure', 'ws_acme', 'llm', 'anthropic'], { stdin: `${CANARY}\n` });
    expect(ran).toEqual({
      exitCode: 0,
      stdout:
        '✔ configured  llm/anthropic of ws_acme · version 1 · …a1b2 · api.anthropic.com\n✔ fenced      no worker is running\n',
      stderr: '',
    });
  });

  it('reads the secret from a named variable', async () => {
    const workspaceId = uniqueName('ws');
    const args = ['configure', workspaceId, 'rpc', 'mainnet', '--set', 'chainId=1', '--secret-env', 'URL', '--json'];
    const ran = await op.run(args, { env: { URL: `https://rpc.example/v2/${CANARY}` } });
    expect(ran.exitCode).toBe(0);
    expect(documentOf(ran)).toEqual({
      workspaceId,
      type: 'rpc',
      name: 'mainnet',
      version: 1,
      shown: { chainId: 1, priority: 100, host: 'rpc.example', key: '…a1b2' },
      fence: { epoch: expect.any(Number), complete: true, tookMs: expect.any(Number), workers: [] },
      fencedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      holders: [],
    });
  });

  it('reads several secret fields from a JSON object', async () => {
    const workspaceId = uniqueName('ws');
    const args = ['configure', workspaceId, 'tenderly', 'default', '--set', 'account=acme', '--set', 'project=agents'];
    const stdin = JSON.stringify({ accessKey: CANARY, nodeAccessKey: NEW_CANARY });
    expect(await op.run(args, { stdin })).toMatchObject({ exitCode: 0 });
    const { providers } = documentOf(await op.run(['list', workspaceId, '--json']));
    expect(providers[0].secret).toEqual({ accessKey: '…a1b2', nodeAccessKey: '…c3d4' });
  });
});

describe('list', () => {
  it('prints a table for people, and every field for scripts', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', CANARY);
    await op.configured(workspaceId, 'another', CANARY);
    const { host } = new URL(op.service.baseURL);
    expect(await op.run(['list', workspaceId])).toEqual({
      exitCode: 0,
      stdout:
        `llm/another  active  version 1  never checked  never used  …a1b2 · ${host}\n` +
        `llm/mine     active  version 1  never checked  never used  …a1b2 · ${host}\n`,
      stderr: '',
    });
    const { providers, ...rest } = documentOf(await op.run(['list', workspaceId, '--json']));
    expect(rest).toEqual({ workspaceId });
    expect(providers).toHaveLength(2);
    expect(providers[1]).toEqual({
      workspaceId,
      type: 'llm',
      name: 'mine',
      status: 'active',
      version: 1,
      readable: true,
      config: { baseURL: op.service.baseURL },
      secret: { apiKey: '…a1b2' },
      shown: { key: '…a1b2', host },
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      updatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      rotatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('succeeds with an empty list if the workspace has no providers', async () => {
    const workspaceId = uniqueName('ws');
    const stdout = `? empty       ${workspaceId} has no providers\n`;
    expect(await op.run(['list', workspaceId])).toEqual({ exitCode: 0, stdout, stderr: '' });
  });

  it('shows a provider whose secret cannot be opened', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', CANARY);
    const listed = await op.run(['list', workspaceId], { env: { ENCRYPTION_KEY: newRootKey() } });
    expect(listed).toMatchObject({
      exitCode: 4,
      stdout: expect.stringContaining('does not open: check that ENCRYPTION_KEY has its root key'),
    });
  });
});

describe('check', () => {
  it('reports that the service accepts a key, and list shows the result', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', CANARY);
    const { exitCode, stdout } = await op.run(['check', workspaceId]);
    const printed = stdout.replace(/\d+ ms/, '12 ms');
    expect({ exitCode, printed }).toEqual({
      exitCode: 0,
      printed: `✔ ok          llm/mine of ${workspaceId} · version 1 · the service returned its list of models (12 ms)\n`,
    });
    expect((await op.run(['list', workspaceId])).stdout).toMatch(/ {2}ok \d{4}-\d\d-\d\d \d\d:\d\d UTC {2}/);
  });

  it('reports each provider, and exits with the code of the worst result', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', CANARY);
    await op.configured(workspaceId, 'other', NEW_CANARY);
    const checked = await op.run(['check', workspaceId, 'llm', '--json']);
    expect(checked.exitCode).toBe(4);
    const facts = { workspaceId, type: 'llm', version: 1, detail: expect.any(String), tookMs: expect.any(Number) };
    expect(documentOf(checked)).toEqual({
      workspaceId,
      checks: [
        { ...facts, name: 'mine', outcome: 'ok' },
        { ...facts, name: 'other', outcome: 'rejected' },
      ],
    });
  });

  it('reports a provider whose secret cannot be opened among the others', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', CANARY);
    const checked = await op.run(['check', workspaceId, '--json'], { env: { ENCRYPTION_KEY: newRootKey() } });
    expect(checked.exitCode).toBe(4);
    const error = { type: 'CredentialUnreadable', message: expect.any(String), fields: [] };
    expect(documentOf(checked).checks).toEqual([{ workspaceId, type: 'llm', name: 'mine', error }]);
  });
});

describe('disable, enable and remove', () => {
  it('change one provider, and print its version', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', CANARY);
    const provider = [workspaceId, 'llm', 'mine'];
    const disabled = await op.run(['disable', ...provider]);
    expect(disabled.stdout).toBe(
      `✔ disabled    llm/mine of ${workspaceId} · version 2\n✔ fenced      no worker is running\n`,
    );
    expect(documentOf(await op.run(['enable', ...provider, '--json']))).toMatchObject({ status: 'active', version: 3 });
    expect(await op.run(['remove', ...provider, '--yes'])).toMatchObject({ exitCode: 0 });
    expect(documentOf(await op.run(['list', workspaceId, '--json'])).providers).toEqual([]);
  });

  it('require --yes for a removal if there is no terminal to ask on', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', CANARY);
    const removed = await op.run(['remove', workspaceId, 'llm', 'mine']);
    expect(removed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
    expect(documentOf(await op.run(['list', workspaceId, '--json'])).providers).toHaveLength(1);
  });
});

describe('migrate', () => {
  it('can run again', async () => {
    const env = { DATABASE_URL: op.database.ownerUrl };
    expect((await op.run(['migrate'], { env })).stdout).toBe('✔ up to date  nothing was applied\n');
    expect(documentOf(await op.run(['migrate', '--json'], { env }))).toEqual({ applied: [] });
  });
});
