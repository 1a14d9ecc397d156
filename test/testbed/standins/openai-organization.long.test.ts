/** OpenAI's SDK checks the stand-in for its admin API. Keys that are made and deleted there affect calls to models. */
import { inspect } from 'node:util';
import OpenAI from 'openai';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LlmStandIn, startLlmStandIn } from '../../../testbed/standins/llm.js';

const ADMIN = 'canary-admin-of-acme';
const PROJECT = 'proj_acme';

let standIn: LlmStandIn;
beforeEach(async () => {
  standIn = await startLlmStandIn({ keys: [{ provider: 'openai', key: 'canary-openai-of-acme', owner: 'ws_acme' }] });
  standIn.admitProjectAdmin({ key: ADMIN, owner: 'ws_acme', project: PROJECT });
  standIn.admitProjectAdmin({ key: 'canary-admin-of-beta', owner: 'ws_beta', project: 'proj_beta' });
});
afterEach(() => standIn.stop());

function client(key: string) {
  const baseURL = standIn.baseUrls.openai.sdk;
  return new OpenAI({ apiKey: key, adminAPIKey: key, baseURL, maxRetries: 0 });
}

const serviceAccounts = (key = ADMIN) => client(key).admin.organization.projects.serviceAccounts;

const ask = (key: string) =>
  client(key).chat.completions.create({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'question' }] });

async function make(name: string) {
  const { id, api_key } = await serviceAccounts().create(PROJECT, { name });
  return { id, key: api_key?.value ?? '' };
}

test("a key that is made is accepted at once as its owner's, and refused after it is deleted", async () => {
  const { id, key } = await make('agents');
  await ask(key);
  expect(standIn.calls().at(-1)).toMatchObject({ provider: 'openai', owner: 'ws_acme', status: 200 });

  const deleted = await serviceAccounts().delete(id, { project_id: PROJECT });
  expect(deleted).toEqual({ object: 'organization.project.service_account.deleted', id, deleted: true });
  await expect(ask(key)).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await expect(client(key).models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await expect(serviceAccounts().delete(id, { project_id: PROJECT })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

test('the list has pages and omits deleted accounts', async () => {
  const made: { readonly id: string }[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) made.push(await make(name));
  await serviceAccounts().delete(made[1]?.id ?? '', { project_id: PROJECT });
  const names: string[] = [];
  for await (const { name } of serviceAccounts().list(PROJECT, { limit: 2 })) names.push(name);
  expect(names).toEqual(['a', 'c', 'd', 'e']);
  expect(standIn.calls().filter(({ method }) => method === 'GET')).toHaveLength(2);
});

test('the admin API accepts only admin keys, which cannot call models or see the projects of others', async () => {
  await expect(serviceAccounts('canary-openai-of-acme').list(PROJECT)).rejects.toBeInstanceOf(
    OpenAI.AuthenticationError,
  );
  await expect(ask(ADMIN)).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await expect(serviceAccounts('canary-admin-of-beta').list(PROJECT)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

test('a call whose answer is lost still makes a key, and a call that is cut makes none', async () => {
  const onMaking = { provider: 'openai-admin', path: `/projects/${PROJECT}/service_accounts` } as const;
  standIn.failNext({ ...onMaking, status: 'cut' });
  await expect(make('cut')).rejects.toBeInstanceOf(OpenAI.APIConnectionError);
  standIn.failNext({ ...onMaking, status: 'lost' });
  await expect(make('lost')).rejects.toBeInstanceOf(OpenAI.APIConnectionError);
  expect(standIn.calls().map(({ status }) => status)).toEqual([undefined, undefined]);

  const [orphan, ...others] = standIn.serviceAccounts();
  expect(others).toEqual([]);
  expect(orphan).toMatchObject({ name: 'lost', project: PROJECT, owner: 'ws_acme', isDeleted: false });
  await ask(orphan?.key ?? '');
});

test('the recorded calls contain no key that was made', async () => {
  const { key } = await make('agents');
  await ask(key);
  expect(inspect([standIn.calls(), standIn], { depth: 9, showHidden: true })).not.toContain(key);
  expect(standIn.callsWith(key)).toHaveLength(1);
});
