/** What a user's test can do with a service on the wire. */
import { afterEach, describe, expect, test } from 'vitest';
import {
  type StandInService,
  type StandInServiceName,
  type StandInServiceOptions,
  startStandInService,
  testProviders,
} from '../../src/testing.js';

const KEYS = { 'key-of-acme-for-tests': 'ws_acme', 'key-of-other-for-tests': 'ws_other' };

const started: StandInService[] = [];
afterEach(() => Promise.all(started.splice(0).map((service) => service.stop())));

async function start<Name extends StandInServiceName>(name: Name, options: StandInServiceOptions<Name> = {}) {
  const service = await startStandInService(name, { keys: KEYS, ...options });
  started.push(service);
  return service;
}

const MODELS = ['anthropic', 'openai', 'openai-compatible', 'gemini'] as const;

/** Two workspaces that have the service, and the functions of workflows. */
function workspacesAt(type: string, name: string, fields: (key: string) => Record<string, unknown>) {
  const workspaces = Object.entries(KEYS).map(([key, owner]) => [owner, { [`${type}/${name}`]: fields(key) }]);
  const providers = testProviders(Object.fromEntries(workspaces), { service: 'loopback' });
  return { acme: providers.workflowFunctions('ws_acme'), other: providers.workflowFunctions('ws_other') };
}

describe.each(MODELS)('a stand-in of %s', (name) => {
  const at = ({ url }: StandInService) =>
    workspacesAt('llm', name, (apiKey) => ({ apiKey, baseURL: url, model: 'some-model' }));

  test('answers each workspace, and tells with whose key it was called', async () => {
    const service = await start(name, { answer: ({ owner, prompt }) => `${owner}: ${prompt}` });
    for (const [workspaceId, steps] of Object.entries(at(service))) {
      const ref = await steps.resolveLlmKey({ provider: name });
      const { text } = await steps.llmStep({ ref, prompt: 'Hi' });
      expect(text).toBe(`ws_${workspaceId}: Hi`);
    }
    expect(service.calls().map(({ owner, status }) => `${owner} ${status}`)).toEqual(['ws_acme 200', 'ws_other 200']);
    expect(JSON.stringify(service.calls())).not.toContain('for-tests');
  });

  test.each([
    [401, 'CredentialRejected'],
    [429, 'ProviderRateLimited'],
    [529, 'ProviderRateLimited'],
    ['cut', 'ProviderUnavailable'],
  ] as const)('fails on request, for one owner, with %s', async (status, type) => {
    const service = await start(name);
    const { acme, other } = at(service);
    service.failNext({ status, owner: 'ws_acme', times: 9 });
    const ask = async (steps: typeof acme) =>
      steps.llmStep({ ref: await steps.resolveLlmKey({ provider: name }), prompt: 'Hi' });
    expect(acme.failureTypeOf(await ask(acme).catch((error: unknown) => error))).toBe(type);
    expect((await ask(other)).text).toBe('some-model answers with the key of ws_other');
  });
});

test('a stand-in refuses a key that was revoked, and takes a new one', async () => {
  const service = await start('openai');
  const { acme } = workspacesAt('llm', 'openai', (apiKey) => ({ apiKey, baseURL: service.url, model: 'm' }));
  const ask = async () => acme.llmStep({ ref: await acme.resolveLlmKey({ provider: 'openai' }), prompt: 'Hi' });
  service.revoke('key-of-acme-for-tests');
  expect(acme.failureTypeOf(await ask().catch((error: unknown) => error))).toBe('CredentialRejected');
  service.admit('key-of-acme-for-tests', 'ws_acme');
  expect((await ask()).text).toContain('ws_acme');
});

test('a stand-in of Tenderly simulates what the test says', async () => {
  const answer = ({ to }: { to?: string }) =>
    to?.endsWith('1') ? { error: 'execution reverted', gasUsed: 30_000 } : {};
  const service = await start('tenderly', { answer });
  const { acme } = workspacesAt('tenderly', 'default', (accessKey) => ({
    ...{ accessKey, account: 'acme', project: 'agents', baseURL: service.url },
  }));
  const ref = await acme.resolveTenderlyConfig();
  const simulate = (last: string) =>
    acme.tenderlyStep({
      ...{ ref, networkId: '1' },
      transaction: { from: `0x${'a'.repeat(40)}`, to: `0x${'b'.repeat(39)}${last}`, value: '1' },
    });
  expect(await simulate('0')).toMatchObject({ success: true, gasUsed: 21_000 });
  expect(await simulate('1')).toMatchObject({ success: false, gasUsed: 30_000 });
  service.failNext({ status: 429 });
  expect(acme.failureTypeOf(await simulate('0').catch((error: unknown) => error))).toBe('ProviderRateLimited');
});

test('a stand-in of an endpoint returns what the test says', async () => {
  const answer = ({ method, owner }: { method: string; owner: string }) => {
    if (method === 'eth_call') throw new Error('execution reverted');
    if (method === 'eth_getBalance') return owner === 'ws_acme' ? '0x10' : '0x20';
    return undefined;
  };
  const service = await start('rpc', { answer });
  const { acme, other } = workspacesAt('rpc', 'main', (key) => ({ chainId: 1, url: `${service.url}/${key}` }));
  const read = async (steps: typeof acme, method = 'eth_getBalance') =>
    steps.rpcStep({
      ref: await steps.resolveRpcEndpoint({ chainId: 1 }),
      method,
      params: [`0x${'a'.repeat(40)}`, 'latest'],
    });
  expect((await read(acme)).result).toBe('0x10');
  expect((await read(other)).result).toBe('0x20');
  const reverted = await read(acme, 'eth_call').catch((error: unknown) => error);
  expect(reverted).toMatchObject({ cause: { message: expect.stringContaining('the execution reverted') } });
  expect(JSON.stringify(service.calls())).not.toContain('for-tests');
});
