/** What a user's test can do without Postgres, without services and, for activities, without Temporal. */
import { ActivityFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { withProvider } from '../../src/index.js';
import { type TestService, testProviders, type WorkflowFunctions } from '../../src/testing.js';
import { failureTypeOf, llmStep, resolveLlmKey } from '../../src/workflow.js';

const ACME = { 'llm/openai': { apiKey: 'key-of-acme-for-tests', model: 'gpt-5-mini' } };
const OTHER = { 'llm/openai': { apiKey: 'key-of-other-for-tests', model: 'gpt-5-mini' } };

const answers: TestService = () =>
  Response.json({
    ...{ id: 'r', object: 'response', created_at: 1, status: 'completed', model: 'gpt-5-mini', error: null },
    output: [
      {
        ...{ type: 'message', id: 'm', status: 'completed', role: 'assistant' },
        content: [{ type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] }],
      },
    ],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
  });

/** As a user writes it. */
const listModels = () =>
  withProvider({ type: 'llm', name: 'openai' }, async ({ credential, fetch, use }) => {
    const headers = { authorization: `Bearer ${credential.apiKey}` };
    const response = await fetch(`${credential.baseURL}/models`, { headers });
    if (!response.ok)
      throw Object.assign(new Error('refused'), { status: response.status, error: await response.json() });
    return { status: response.status, version: use.version };
  });

describe('an activity', () => {
  test('runs with the key of its workspace, and the test sees whose', async () => {
    const providers = testProviders({ ws_acme: ACME, ws_other: OTHER }, { service: answers });
    for (const workspaceId of ['ws_acme', 'ws_other']) {
      const environment = new MockActivityEnvironment({}, { interceptors: providers.interceptors(workspaceId) });
      expect(await environment.run(listModels)).toEqual({ status: 200, version: 1 });
    }
    expect(providers.calls).toEqual(
      ['ws_acme', 'ws_other'].map((workspaceId) => ({
        provider: { workspaceId, type: 'llm', name: 'openai' },
        method: 'GET',
        url: 'https://api.openai.com/v1/models',
      })),
    );
  });

  test.each([
    ['CredentialRejected', true],
    ['ProviderRateLimited', false],
    ['ProviderQuotaExhausted', true],
    ['ProviderUnavailable', false],
    ['ProviderRequestInvalid', true],
    ['StoreUnavailable', false],
    ['KeyServiceUnavailable', false],
    ['CredentialUnreadable', true],
    ['ProviderDisabled', true],
  ] as const)('fails with %s once if the test asks for it', async (type, nonRetryable) => {
    const providers = testProviders({ ws_acme: ACME }, { service: answers });
    const run = () =>
      new MockActivityEnvironment({}, { interceptors: providers.interceptors('ws_acme') }).run(listModels);
    providers.failNext('ws_acme', 'llm/openai', type);
    await expect(run()).rejects.toMatchObject({ type, nonRetryable });
    expect(await run()).toMatchObject({ status: 200 });
  });

  test('sees changes, disabled and removed providers', async () => {
    const providers = testProviders({ ws_acme: ACME }, { service: answers });
    const run = () =>
      new MockActivityEnvironment({}, { interceptors: providers.interceptors('ws_acme') }).run(listModels);
    providers.configure('ws_acme', 'llm/openai', { apiKey: 'another-key-of-acme-for-tests' });
    expect(await run()).toMatchObject({ version: 2 });
    providers.disable('ws_acme', 'llm/openai');
    await expect(run()).rejects.toMatchObject({ type: 'ProviderDisabled' });
    providers.remove('ws_acme', 'llm/openai');
    await expect(run()).rejects.toMatchObject({ type: 'ProviderNotConfigured' });
  });

  test('is told what is missing', async () => {
    const providers = testProviders({ ws_acme: ACME });
    const environment = new MockActivityEnvironment({}, { interceptors: providers.interceptors('ws_acme') });
    await expect(environment.run(listModels)).rejects.toThrow('service is missing: give testProviders a function');
    const service = () => Promise.reject(new Error('no such page'));
    const failing = testProviders({ ws_acme: ACME }, { service });
    const other = new MockActivityEnvironment({}, { interceptors: failing.interceptors('ws_acme') });
    await expect(other.run(listModels)).rejects.toThrow('service of testProviders threw: no such page');
    expect(() => testProviders({ ws_acme: { 'llm/openai': { model: 'm' } } })).toThrow('secret.apiKey');
    expect(() => testProviders({ ws_acme: { openai: {} } })).toThrow('must be written type/name');
  });
});

describe('a workflow that uses only the functions of this package', () => {
  test.each<[string, (functions: WorkflowFunctions) => Promise<{ text: string }>]>([
    ['by name', ({ llmStep: ask }) => ask({ provider: ['anthropic', 'openai'], prompt: 'Say hello.' })],
    [
      'by reference',
      async ({ llmStep: ask, resolveLlmKey: resolve }) =>
        ask({ ref: await resolve({ provider: 'openai' }), prompt: 'Say hello.' }),
    ],
  ])('runs as a function, with its providers %s', async (_, step) => {
    const providers = testProviders({ ws_acme: ACME }, { service: answers });
    const functions = providers.workflowFunctions('ws_acme');
    // As vi.mock would put them into the module of the workflow.
    const agent = async (mocked: typeof functions) => (await step(mocked)).text;
    expect(await agent(functions)).toBe('Hello.');
    providers.failNext('ws_acme', 'llm/openai', 'CredentialRejected');
    const failure = await agent(functions).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ActivityFailure);
    expect(failureTypeOf(failure)).toBe('CredentialRejected');
    expect(Object.keys({ llmStep, resolveLlmKey })).toSatisfy((names: string[]) =>
      names.every((name) => name in functions),
    );
  });
});
