/** The commands `audit` (who changed a provider) and `usage` (which workflows used it). */
import { describe, expect, it } from 'vitest';
import { withSession } from '../../support/database.js';
import { uniqueName } from '../../support/parts.js';
import { CANARY, documentOf, operator } from '../operator.js';

const op = operator();

const NOON = Date.UTC(2026, 2, 1, 12);

/** Uses of a day in the past, which no worker may record now. */
async function used(workspaceId: string, uses: readonly (readonly [minute: number, version: number, id: string])[]) {
  await withSession(op.database.ownerUrl, async (session) => {
    for (const [minute, version, workflowId] of uses) {
      await session.query(`insert into provider_use values ($1, 'llm', 'mine', $2, $3, 'agent', $4, 2)`, [
        ...[workspaceId, new Date(NOON + minute * 60_000), version, workflowId],
      ]);
    }
  });
}

describe('audit', () => {
  it('lists who changed what with which login, newest first', async () => {
    const workspaceId = uniqueName('ws');
    await op.run(['configure', workspaceId, 'llm', 'anthropic', '--no-wait'], { stdin: CANARY });
    await op.run(['disable', workspaceId, 'llm', 'anthropic', '--no-wait']);
    const { events, ...of } = documentOf(await op.run(['audit', workspaceId, 'llm', 'anthropic', '--json']));
    const provider = { workspaceId, type: 'llm', name: 'anthropic' };
    expect(of).toEqual(provider);
    const login = new URL(op.database.managerUrl).username;
    const by = { provider, actor: expect.stringMatching(/^cli:.+@/), login, application: 'workspace-providers' };
    expect(events).toMatchObject([
      { ...by, event: 'disabled', version: 2, details: { changed: ['status'] } },
      { ...by, event: 'created', version: 1 },
    ]);
    const { stdout } = await op.run(['audit', workspaceId]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/ llm\/anthropic +disabled +version 2 +status +cli:.+ as provider_manager_\w+ from \S+$/);
    expect(lines[2]).toMatch(/ data-key-added /);
  });

  it('succeeds with an empty list if nothing happened', async () => {
    const workspaceId = uniqueName('ws');
    const stdout = `? empty       of ${workspaceId} · nothing happened\n`;
    expect(await op.run(['audit', workspaceId])).toEqual({ exitCode: 0, stdout, stderr: '' });
  });
});

describe('usage', () => {
  it('lists the workflows that used a version between two times', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', CANARY);
    await used(workspaceId, [
      [0, 3, 'before'],
      [5, 3, 'agent-1'],
      [9, 3, 'agent-1'],
      [6, 4, 'other-version'],
      [7, 3, 'agent-2'],
      [11, 3, 'after'],
    ]);
    const args = ['usage', workspaceId, 'llm', 'mine', '--version-number', '3'];
    const between = ['--from', '2026-03-01T12:05Z', '--to', '2026-03-01T14:10:00+02:00'];
    expect(await op.run([...args, ...between])).toEqual({
      exitCode: 0,
      stdout:
        'version 3  agent  agent-1  4 times  2026-03-01 12:05 UTC  2026-03-01 12:09 UTC\n' +
        'version 3  agent  agent-2  2 times  2026-03-01 12:07 UTC  2026-03-01 12:07 UTC\n',
      stderr: '',
    });
    const { usage, ...of } = documentOf(await op.run([...args, ...between, '--json']));
    expect(of).toEqual({ workspaceId, type: 'llm', name: 'mine' });
    expect(usage[0]).toEqual({
      ...{ version: 3, workflowType: 'agent', workflowId: 'agent-1', count: 4 },
      ...{ firstUsedAt: '2026-03-01T12:05:00.000Z', lastUsedAt: '2026-03-01T12:09:00.000Z' },
    });
    const listed = documentOf(await op.run(['list', workspaceId, '--json']));
    expect(listed.providers[0].lastUsedAt).toBe('2026-03-01T12:11:00.000Z');
    expect((await op.run(['list', workspaceId])).stdout).toContain('  used 2026-03-01 12:11 UTC  ');
  });

  it.each([
    [['--version-number', '-1'], '--version-number must be a whole number'],
    [['--version-number', '1e3'], '--version-number must be a whole number'],
    [['--from', 'yesterday'], '--from must be a time such as'],
    [['--to', '2026-03-01T12:00'], '--to must be a time such as'],
    [['--to', '2026-13-01'], '--to must be a time such as'],
    [['--from', '2026-03-02', '--to', '2026-03-01'], '--from must not be later than --to'],
  ])('refuses %j', async (options, message) => {
    const ran = await op.run(['usage', 'ws_acme', 'llm', 'mine', ...options]);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain(message);
  });
});
