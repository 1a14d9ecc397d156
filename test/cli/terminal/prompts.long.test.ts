/** On a terminal the command prompts for secrets, which it never shows, and for confirmation before it removes. */
import { expect } from 'vitest';
import { uniqueName } from '../../support/parts.js';
import { CANARY, documentOf, operator } from '../operator.js';
import { itOnTerminal, onTerminal } from './terminal.js';

const ENTER = '\r';
const CTRL_C = '\u0003';
const op = operator();

const typing = (args: readonly string[], question: string, typed: string) => onTerminal(args, question, typed, op.env);

itOnTerminal('the command prompts for a secret that is not piped, and does not show it', async () => {
  const workspaceId = uniqueName('ws');
  const args = ['configure', workspaceId, 'llm', 'anthropic'];
  const { exitCode, shown, raw } = await typing(args, 'apiKey for', `${CANARY}${ENTER}`);
  expect(exitCode).toBe(0);
  expect(shown).toContain(`apiKey for llm/anthropic of ${workspaceId}`);
  expect(shown).toContain(`✔ configured  llm/anthropic of ${workspaceId} · version 1 · …a1b2 · api.anthropic.com`);
  expect(shown).not.toContain(CANARY.slice(0, 12));
  expect(raw, 'a terminal has colors').toContain('\u001b[32m✔');
});

itOnTerminal('the command treats Ctrl-C as a no', async () => {
  const workspaceId = uniqueName('ws');
  const { exitCode, shown } = await typing(['configure', workspaceId, 'llm', 'anthropic'], 'apiKey for', CTRL_C);
  expect(exitCode).toBe(2);
  expect(shown).toContain('✖ UsageInvalid: cancelled: nothing was changed');
  expect(documentOf(await op.run(['list', workspaceId, '--json'])).providers).toEqual([]);
});

itOnTerminal('the command asks before it removes, and treats a bare Enter as a no', async () => {
  const workspaceId = uniqueName('ws');
  await op.configured(workspaceId, 'mine', CANARY);
  const remove = ['remove', workspaceId, 'llm', 'mine'];
  const question = `Remove llm/mine of ${workspaceId} and its secret?`;
  expect(await typing(remove, question, ENTER)).toMatchObject({ exitCode: 2 });
  expect(documentOf(await op.run(['list', workspaceId, '--json'])).providers).toHaveLength(1);
  expect(await typing(remove, question, 'y')).toMatchObject({ exitCode: 0 });
  expect(documentOf(await op.run(['list', workspaceId, '--json'])).providers).toEqual([]);
});
