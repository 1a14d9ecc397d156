/** The places of entries are used again: no workspace may get an answer that another one left behind. */
import { beforeEach, expect, it } from 'vitest';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { WarmAnswers } from '../../src/resolver/warm-answers.js';
import { WorkspaceEntry } from '../../src/resolver/workspace-entry.js';

const NAMES = ['anthropic', 'openai', 'gemini', 'mistral', 'groq'];
const config = { baseURL: 'https://models.example.com', model: 'm' };

let answers: WarmAnswers;
beforeEach(() => {
  answers = new WarmAnswers();
});

function entryOf(workspaceId: string, status: 'active' | 'disabled' = 'active'): WorkspaceEntry {
  const providers = NAMES.map((name, index) => ({
    type: 'llm',
    name,
    config: index < 3 ? { model: 'm' } : config,
    encryptedConfig: 'sealed',
    status,
    version: 1,
  }));
  const sealer = { open: async () => JSON.stringify({ apiKey: `key-of-${workspaceId}-0123456789` }) };
  return new WorkspaceEntry(
    workspaceId,
    { epoch: 1, dataKeys: [], providers },
    { sealer, types: ProviderTypes.builtIn },
    0,
  );
}

const open = (entry: WorkspaceEntry, name: string) => entry.find('llm', name)?.open();

/** The workspaces whose references are answered, by name. */
function answersOf(workspaceId: string): (string | undefined)[] {
  const slot = answers.slotOf(workspaceId);
  return NAMES.map((name) => (slot === undefined ? undefined : answers.answerAt(slot, 'llm', name)?.workspaceId));
}

it('answers for the first four active providers that were opened, before the entry was set or after', async () => {
  const entry = entryOf('ws_acme');
  await open(entry, 'groq');
  answers.set('ws_acme', entry);
  for (const name of NAMES) await open(entry, name);
  expect(answersOf('ws_acme')).toEqual(['ws_acme', 'ws_acme', 'ws_acme', undefined, 'ws_acme']);
  const slot = answers.slotOf('ws_acme') as number;
  expect(answers.answerAt(slot, 'rpc', 'anthropic')).toBeUndefined();
});

it('answers for no provider that is disabled', async () => {
  const entry = entryOf('ws_acme', 'disabled');
  answers.set('ws_acme', entry);
  await open(entry, 'anthropic');
  expect(answersOf('ws_acme')).toEqual(NAMES.map(() => undefined));
});

it('gives the place of a deleted workspace to the next one, without its answers, even those that come later', async () => {
  const [left, next] = [entryOf('ws_left'), entryOf('ws_next')];
  answers.set('ws_left', left);
  await open(left, 'anthropic');
  const slot = answers.slotOf('ws_left');
  answers.delete('ws_left');
  answers.set('ws_next', next);
  expect(answers.slotOf('ws_next')).toBe(slot);
  await open(left, 'openai');
  expect(answersOf('ws_left')).toEqual(NAMES.map(() => undefined));
  expect(answersOf('ws_next')).toEqual(NAMES.map(() => undefined));
  await open(next, 'openai');
  expect(answersOf('ws_next')).toEqual([undefined, 'ws_next', undefined, undefined, undefined]);
});

it('forgets the answers of an entry that another one of the same workspace replaces', async () => {
  const [older, newer] = [entryOf('ws_acme'), entryOf('ws_acme')];
  answers.set('ws_acme', older);
  await open(older, 'anthropic');
  answers.set('ws_acme', newer);
  await open(older, 'openai');
  expect(answersOf('ws_acme')).toEqual(NAMES.map(() => undefined));
});

it('notes the first use of each place since a load began', () => {
  answers.set('ws_acme', entryOf('ws_acme'));
  const slot = answers.slotOf('ws_acme') as number;
  expect([1, 1, 2, 2].map((load) => answers.noteUse(slot, load))).toEqual([true, false, true, false]);
});
