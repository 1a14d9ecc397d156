/** The outcome of a check: `rejected` only if the service answered that it does not accept the key. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFetch, type HttpClient } from '../../src/egress/http-client.js';
import { confirmChain } from '../../src/providers/rpc/rpc.js';
import type { CheckContext, CheckResult } from '../../src/providers/type.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { parseProvider } from '../support/built-in-types.js';
import { closedOrigin, type ServiceReply, type ServiceRequest, startService } from './local-service.js';

const KEY = 'canary-llm-key-a1b2c3d4';
const never = new AbortController().signal;
let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY, limits: { firstByteMs: 300, progressMs: 300 } });
});
afterAll(() => http.close());

function check(type: string, name: string, config: object, secret: object, signal = never): Promise<CheckResult> {
  const context: CheckContext = { fetch: http.fetch, signal };
  return parseProvider(type, name, config, secret).service.check(context);
}

/** Answers `reply` to requests with the key, and 401 to others. */
const withKey =
  (reply: ServiceReply) =>
  (request: ServiceRequest): ServiceReply =>
    JSON.stringify(request.headers).includes(KEY) ? reply : { status: 401, body: {} };

const models = { status: 200, body: { data: [] } };
const llmCheck = (name: string, url: string) => check('llm', name, { baseURL: url }, { apiKey: KEY });

describe('a key of a language-model service', () => {
  it.each<[string, object, string, object]>([
    ['anthropic', models.body, '/v1/models?limit=1', { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' }],
    ['openai', models.body, '/models', { authorization: `Bearer ${KEY}` }],
    ['gemini', { models: [] }, '/v1beta/models?pageSize=1', { 'x-goog-api-key': KEY }],
    ['mistral', models.body, '/models', { authorization: `Bearer ${KEY}` }],
  ])('of %s is ok if the models are listed, and is sent in a header', async (name, body, path, headers) => {
    const service = await startService(withKey({ status: 200, body }));
    expect(await llmCheck(name, service.url)).toEqual({
      outcome: 'ok',
      detail: 'the service returned its list of models',
    });
    const [first] = service.requests;
    expect(first).toMatchObject({ method: 'GET', path, headers });
    expect(service.requests.map((request) => request.path).join()).not.toContain(KEY);
  });

  it('of OpenAI is checked with its organization and project', async () => {
    const service = await startService(withKey(models));
    const config = { baseURL: service.url, organization: 'org-1', project: 'proj_1' };
    expect(await check('llm', 'openai', config, { apiKey: KEY })).toMatchObject({ outcome: 'ok' });
    expect(service.requests[0]?.headers).toMatchObject({ 'openai-organization': 'org-1', 'openai-project': 'proj_1' });
  });

  it('is not ok if the service lists its models without a key too', async () => {
    const service = await startService(models);
    expect(await llmCheck('mistral', service.url)).toMatchObject({ outcome: 'cannot-tell' });
    expect(service.requests).toHaveLength(2);
    expect(JSON.stringify(service.requests[1])).not.toContain(KEY);
  });

  it.each<[string, unknown]>([
    ['a bare list, as at Together', [{ id: 'a', object: 'model' }]],
    ['in an envelope of another name', { success: true, result: [{ id: 'a' }] }],
    ['in two envelopes', { code: 200, data: { models: [] } }],
    ['empty, as at Ollama', { object: 'list', data: null }],
    ['with an error that is null', { data: [], error: null }],
  ])('is ok if the list comes %s', async (_how, body) => {
    const service = await startService(withKey({ status: 200, body }));
    expect(await llmCheck('mistral', service.url)).toMatchObject({ outcome: 'ok' });
  });

  it.each<[string, unknown, CheckResult['outcome']]>([
    ['an error with a list in it', { error: { message: 'x', details: [] } }, 'cannot-tell'],
    ['a list beside an error', { data: [], error: { code: 429, message: 'x' } }, 'cannot-tell'],
    ['a list beside a failure', { success: false, result: [], errors: [{ code: 500 }] }, 'cannot-tell'],
    ['a list of what does not fit', { detail: [{ loc: ['header'], msg: 'x' }] }, 'cannot-tell'],
    ['a refused key', { error: { code: 401, message: 'x' } }, 'rejected'],
  ])('is not ok if HTTP 200 holds %s', async (_what, body, outcome) => {
    const service = await startService({ status: 200, body });
    expect(await llmCheck('mistral', service.url)).toMatchObject({ outcome });
  });

  const missingScope = 'You have insufficient permissions for this operation. Missing scopes: api.model.read.';
  it.each<[string, string, ServiceReply]>([
    ['the scope of a restricted key', 'openai', { status: 401, body: { error: { message: missingScope } } }],
    ['the scope, at a gateway', 'gateway', { status: 403, body: { error: { message: missingScope } } }],
    ['the model', 'litellm', { status: 401, body: { error: { type: 'key_model_access_denied', message: 'x' } } }],
    ['the API', 'gemini', { status: 403, body: { error: { details: [{ reason: 'API_KEY_SERVICE_BLOCKED' }] } } }],
    ['the credit', 'zai', { status: 401, body: { error: { code: '1113', message: 'Insufficient balance' } } }],
    ['a firewall', 'gateway', { status: 401, headers: { 'cf-mitigated': 'challenge' }, body: '<html>' }],
  ])('lives if what is refused is %s', async (_what, name, reply) => {
    const service = await startService(reply);
    expect(await llmCheck(name, service.url)).toMatchObject({ outcome: 'cannot-tell' });
  });

  it.each<[string, ServiceReply]>([
    ['xAI', { status: 400, body: { code: 'invalid-argument', error: 'Incorrect API key provided: st***ef.' } }],
    ['MiniMax', { status: 200, body: { base_resp: { status_code: 1004, status_msg: 'login fail' } } }],
    ['a gateway', { status: 403, body: { message: 'Invalid API key' } }],
  ])('is rejected in the words of %s', async (_who, reply) => {
    const service = await startService(reply);
    expect(await llmCheck('gateway', service.url)).toMatchObject({ outcome: 'rejected' });
  });

  const deadGoogleKey = { error: { code: 400, status: 'INVALID_ARGUMENT', details: [{ reason: 'API_KEY_INVALID' }] } };
  it.each<[string, string, ServiceReply, CheckResult['outcome']]>([
    ['a 401', 'anthropic', { status: 401, body: {} }, 'rejected'],
    ['a 401', 'openai', { status: 401, body: { error: { code: 'invalid_api_key' } } }, 'rejected'],
    ['a 400 for an invalid key', 'gemini', { status: 400, body: deadGoogleKey }, 'rejected'],
    ['another 400', 'gemini', { status: 400, body: {} }, 'cannot-tell'],
    [
      'a 401 for the organization',
      'openai',
      { status: 401, body: { error: { code: 'mismatched_organization' } } },
      'cannot-tell',
    ],
    [
      'a 401 for the IP address',
      'openai',
      { status: 401, body: { error: { code: 'ip_not_authorized' } } },
      'cannot-tell',
    ],
    ['a 403', 'openai', { status: 403, body: {} }, 'cannot-tell'],
    ['a 403', 'mistral', { status: 403, body: {} }, 'cannot-tell'],
    ['a 404', 'mistral', { status: 404, body: {} }, 'cannot-tell'],
    ['a 429', 'anthropic', { status: 429, body: {} }, 'cannot-tell'],
    ['a 500', 'anthropic', { status: 500, body: {} }, 'cannot-tell'],
    ['a 529', 'anthropic', { status: 529, body: {} }, 'cannot-tell'],
    ['an HTML page', 'openai', { status: 200, body: '<html>' }, 'cannot-tell'],
    ['a redirect', 'openai', { status: 302, headers: { location: 'https://login.example' } }, 'cannot-tell'],
  ])('is rejected only if the service does not know it: %s at %s', async (_answer, name, reply, outcome) => {
    const service = await startService(reply);
    expect(await llmCheck(name, service.url)).toMatchObject({ outcome });
  });

  it('cannot be checked if no server listens or answers in time', async () => {
    const silent = await startService(() => undefined);
    for (const url of [await closedOrigin(), silent.url]) {
      expect(await llmCheck('anthropic', url)).toMatchObject({ outcome: 'cannot-tell' });
    }
  });

  it('has no outcome if the caller aborts the check', async () => {
    const gaveUp = new AbortController();
    const service = await startService(() => {
      gaveUp.abort(new Error('the caller gave up'));
      return undefined;
    });
    const checked = check('llm', 'anthropic', { baseURL: service.url }, { apiKey: KEY }, gaveUp.signal);
    await expect(checked).rejects.toThrow('the caller gave up');
  });

  it('is not in the result of a check', async () => {
    const echo = await startService(({ headers }) => ({ status: 401, body: { error: { message: headers } } }));
    expect(JSON.stringify(await llmCheck('openai', echo.url))).not.toContain(KEY);
  });
});

describe('an admin key', () => {
  it.each<[string, object, string, object]>([
    ['anthropic', {}, '/v1/organizations/api_keys?limit=1', { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' }],
    [
      'openai',
      { project: 'proj_1' },
      '/organization/projects/proj_1/service_accounts?limit=1',
      { authorization: `Bearer ${KEY}` },
    ],
  ])('of %s is ok if the keys are listed', async (name, config, path, headers) => {
    const service = await startService(withKey({ status: 200, body: { data: [] } }));
    const checked = check('llm-admin', name, { baseURL: service.url, ...config }, { adminKey: KEY });
    expect(await checked).toEqual({ outcome: 'ok', detail: 'the service returned its list of keys' });
    expect(service.requests).toMatchObject([{ method: 'GET', path, headers }]);
  });

  it.each<[number, CheckResult['outcome']]>([
    [401, 'rejected'],
    [403, 'cannot-tell'],
    [404, 'cannot-tell'],
    [200, 'cannot-tell'],
  ])('is rejected only for a 401: %i', async (status, outcome) => {
    const { url } = await startService({ status, body: {} });
    expect(await check('llm-admin', 'anthropic', { baseURL: url }, { adminKey: KEY })).toMatchObject({ outcome });
  });
});

describe('a Tenderly access key', () => {
  const tenderlyCheck = (url: string) =>
    check('tenderly', 'default', { account: 'acme', project: 'agents', baseURL: url }, { accessKey: KEY });

  it.each<[string, unknown, CheckResult['outcome']]>([
    ['a list with the project', { projects: [{ slug: 'other' }, { slug: 'agents' }] }, 'ok'],
    ['a bare list with the project', [{ slug: 'agents' }], 'ok'],
    ['a list without the project', { projects: [{ slug: 'other' }] }, 'cannot-tell'],
    ['an answer without a list', { projects: null }, 'cannot-tell'],
  ])('is ok only if the project is in the list: %s', async (_what, body, outcome) => {
    const service = await startService(withKey({ status: 200, body }));
    expect(await tenderlyCheck(service.url)).toMatchObject({ outcome });
    expect(service.requests[0]).toMatchObject({
      path: '/api/v1/account/acme/projects',
      headers: { 'x-access-key': KEY },
    });
  });

  it.each<[number, CheckResult['outcome']]>([
    [401, 'rejected'],
    [403, 'cannot-tell'],
    [404, 'cannot-tell'],
    [500, 'cannot-tell'],
  ])('is rejected only for a 401: %i', async (status, outcome) => {
    expect(await tenderlyCheck((await startService({ status, body: {} })).url)).toMatchObject({ outcome });
  });
});

describe('an RPC endpoint', () => {
  const rpcCheck = (url: string) =>
    check('rpc', 'mainnet', { chainId: 1 }, { url: `${url}/${KEY}`, headers: { 'x-key': 'canary-header' } });
  const answer = (result: unknown) => ({ status: 200, body: { jsonrpc: '2.0', id: 1, result } });
  const failure = (code: number, message: string) => ({
    status: 200,
    body: { jsonrpc: '2.0', error: { code, message } },
  });

  it('is ok if it answers for its chain', async () => {
    const service = await startService(answer('0x1'));
    expect(await rpcCheck(service.url)).toEqual({ outcome: 'ok', detail: 'the endpoint answers for chain 1' });
    expect(service.requests[0]).toMatchObject({ path: `/${KEY}`, headers: { 'x-key': 'canary-header' } });
    expect(JSON.parse(service.requests[0]?.body ?? '')).toMatchObject({ method: 'eth_chainId' });
  });

  it('of another chain fails with ProviderConfigInvalid', async () => {
    const service = await startService(answer('0x5'));
    await expect(rpcCheck(service.url)).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: 'the endpoint answers for chain 5, and is configured for chain 1',
      facts: { fields: ['config.chainId'] },
    });
  });

  it.each<[string, ServiceReply, CheckResult['outcome']]>([
    ['a 401', { status: 401, body: {} }, 'rejected'],
    ['an invalid key within a success', failure(-32600, 'Must be authenticated!'), 'rejected'],
    ['a 403', { status: 403, body: {} }, 'cannot-tell'],
    ['a 429', { status: 429, body: {} }, 'cannot-tell'],
    ['an internal error', failure(-32603, 'internal'), 'cannot-tell'],
    ['no chain id', answer(null), 'cannot-tell'],
    ['an invalid chain id', answer('one'), 'cannot-tell'],
    ['an HTML page', { status: 200, body: '<html>' }, 'cannot-tell'],
    ['a 401 without a body', { status: 401, body: '' }, 'rejected'],
    ['a firewall', { status: 403, headers: { 'cf-mitigated': 'challenge' }, body: '' }, 'cannot-tell'],
    ['a plan', { status: 403, ...{ body: failure(-32002, 'not available on your plan').body } }, 'cannot-tell'],
    ['a chain id beside an error', { status: 200, body: { result: '0x1', error: { code: -32005 } } }, 'cannot-tell'],
  ])('is rejected only if it does not know the key: %s', async (_what, reply, outcome) => {
    expect(await rpcCheck((await startService(reply)).url)).toMatchObject({ outcome });
  });

  it('is asked for its chain once per credential', async () => {
    const service = await startService(answer('0x1'));
    const { credential } = parseProvider('rpc', 'mainnet', { chainId: 1 }, { url: service.url });
    const context = { fetch: http.fetch, signal: never };
    await confirmChain(credential, context);
    await confirmChain(credential, context);
    expect(service.requests).toHaveLength(1);
  });

  it('is asked for its chain again if the call failed', async () => {
    const replies = [{ status: 503, body: {} }, answer('0x5'), answer('0x1')];
    const service = await startService(() => replies.shift());
    const { credential } = parseProvider('rpc', 'mainnet', { chainId: 1 }, { url: service.url });
    const context = { fetch: http.fetch, signal: never };
    await expect(confirmChain(credential, context)).rejects.toMatchObject({ name: 'ServiceAnswerError' });
    await expect(confirmChain(credential, context)).rejects.toMatchObject({ type: 'ProviderConfigInvalid' });
    await expect(confirmChain(credential, context)).resolves.toBeUndefined();
  });
});
