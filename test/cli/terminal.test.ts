/** On a terminal the command asks: for a secret, which is never shown, and before it removes. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { uniqueName } from '../support/parts.js';
import { CANARY, documentOf, operator } from './operator.js';
import { CLI, run } from './run-cli.js';

const ENTER = '\r';
const CTRL_C = '\u0003';
const TERMINAL = fileURLToPath(new URL('terminal.py', import.meta.url));
const MISSING = spawnSync('python3', ['--version']).status === 0 ? undefined : 'a terminal is made by Python 3';

const op = operator();

/** Types once `question` is shown. */
async function onTerminal(args: readonly string[], question: string, typed: string) {
  const env = { ...op.env, TERM: 'xterm' };
  const { stdout } = await run('python3', [TERMINAL, question, typed, process.execPath, CLI, ...args], { env });
  const { exitCode, shown } = JSON.parse(stdout) as { readonly exitCode: number; readonly shown: string };
  return { exitCode, shown: stripVTControlCharacters(shown), raw: shown };
}

/** In CI it runs in any case, and fails where there is no Python. */
const itOnTerminal = it.skipIf(MISSING !== undefined && !process.env.CI);

itOnTerminal('asks for a secret that is not piped, and does not show it', async () => {
  const workspaceId = uniqueName('ws');
  const args = ['configure', workspaceId, 'llm', 'anthropic'];
  const { exitCode, shown, raw } = await onTerminal(args, 'apiKey for', `${CANARY}${ENTER}`);
  expect(exitCode).toBe(0);
  expect(shown).toContain(`apiKey for llm/anthropic of ${workspaceId}`);
  expect(shown).toContain(`✔ configured  llm/anthropic of ${workspaceId} · version 1 · …a1b2 · api.anthropic.com`);
  expect(shown).not.toContain(CANARY.slice(0, 12));
  expect(raw, 'a terminal has colors').toContain('\u001b[32m✔');
});

itOnTerminal('takes Ctrl-C for a no', async () => {
  const workspaceId = uniqueName('ws');
  const { exitCode, shown } = await onTerminal(['configure', workspaceId, 'llm', 'anthropic'], 'apiKey for', CTRL_C);
  expect(exitCode).toBe(2);
  expect(shown).toContain('✖ UsageInvalid: cancelled: nothing was changed');
  expect(documentOf(await op.run(['list', workspaceId, '--json'])).providers).toEqual([]);
});

itOnTerminal('asks before it removes, and Enter alone is a no', async () => {
  const workspaceId = uniqueName('ws');
  await op.configured(workspaceId, 'mine', CANARY);
  const remove = ['remove', workspaceId, 'llm', 'mine'];
  const question = `Remove llm/mine of ${workspaceId} and its secret?`;
  expect(await onTerminal(remove, question, ENTER)).toMatchObject({ exitCode: 2 });
  expect(documentOf(await op.run(['list', workspaceId, '--json'])).providers).toHaveLength(1);
  expect(await onTerminal(remove, question, 'y')).toMatchObject({ exitCode: 0 });
  expect(documentOf(await op.run(['list', workspaceId, '--json'])).providers).toEqual([]);
});
