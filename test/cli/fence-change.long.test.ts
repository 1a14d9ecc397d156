/** What a change reports about the workers that it waited for, with a worker that holds a lease and is silent. */
import { expect, it } from 'vitest';
import { uniqueName } from '../support/parts.js';
import { registerSilentWorker } from '../support/silent-worker.js';
import { CANARY, documentOf, operator } from './operator.js';
import { runMeanwhile } from './running-command.js';
import { itOnTerminal, onTerminal } from './terminal/terminal.js';

const op = operator();

async function configured(): Promise<readonly string[]> {
  const workspaceId = uniqueName('ws');
  await op.configured(workspaceId, 'mine', CANARY);
  return [workspaceId, 'llm', 'mine'];
}

const silentWorker = (leaseMs: number) => registerSilentWorker(op.database, leaseMs);

it('a change waits out the lease of a worker that does not answer, and reports it', async () => {
  await silentWorker(300);
  const { stdout } = await op.run(['disable', ...(await configured())]);
  const waited = String.raw`0 of 1 worker answered, 1 did not answer and was waited out \(\d+ ms\)`;
  expect(stdout).toMatch(new RegExp(String.raw`✔ fenced {6}no worker has served it since [\d:.]+ UTC; ${waited}\n`));
  expect(stdout).toMatch(
    /\? not drained unknown whether steps still hold an older version: agents-9 \(does not answer\)\n$/,
  );
});

it('a change reports the waited-out worker as proof with --json', async () => {
  await silentWorker(300);
  const removed = documentOf(await op.run(['remove', ...(await configured()), '--yes', '--json']));
  expect(removed).toMatchObject({
    removed: true,
    fence: { workers: [{ identity: 'agents-9', outcome: 'waited-out' }] },
  });
  expect(removed.fence.tookMs).toBeGreaterThanOrEqual(300);
  expect(removed.fencedAt).toMatch(/^\d{4}-.*Z$/);
});

it('a change is made without waiting, with --no-wait or after Ctrl-C', async () => {
  await silentWorker(60_000);
  const provider = await configured();
  const disabled = documentOf(await op.run(['disable', ...provider, '--no-wait', '--json']));
  expect(disabled).toEqual({ workspaceId: provider[0], type: 'llm', name: 'mine', status: 'disabled', version: 2 });

  const interrupted = await runMeanwhile(['enable', ...provider], {
    env: op.env,
    said: /✔ enabled/,
    act: (command) => command.kill('SIGINT'),
  });
  expect(interrupted.exitCode).toBe(130);
  expect(interrupted.said).toContain('? not fenced  the change was made, but some workers may not have it yet');
  expect(documentOf(await op.run(['list', String(provider[0]), '--json'])).providers[0]).toMatchObject({
    status: 'active',
  });
});

itOnTerminal('a change shows on a terminal which workers it waits for', async () => {
  await silentWorker(2_500);
  const { exitCode, shown } = await onTerminal(['disable', ...(await configured())], 'disabled', '', op.env);
  expect(exitCode).toBe(0);
  expect(shown).toContain('fencing     1 of 1 has not answered yet: agents-9 · ');
  expect(shown).toMatch(/1 did not answer and was waited out \(2\.\d s\)/);
});
