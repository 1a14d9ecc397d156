/** How a provider's config changes the calls to its service, whichever client makes them. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { parseProvider } from '../../support/built-in-types.js';
import { startService } from '../local-service.js';

const KEY = 'canary-key-5e1f0c7d';
const signal = new AbortController().signal;
const list = { object: 'list', data: [{ id: 'a-model' }] };
const parsed = (config: object, name = 'a-service') => parseProvider('llm', name, config, { apiKey: KEY });

let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

async function through(config: object, name = 'a-service') {
  const service = await startService(({ method }) => ({ status: 200, body: method === 'GET' ? list : {} }));
  const provider = parsed({ baseURL: service.url, ...config }, name);
  const { credential } = provider;
  return { service, credential, provider, fetch: provider.service.adaptFetch(http.fetch) };
}

describe('a call to the service', () => {
  it("has the config's headers and the version of the API, from a vendor's SDK too", async () => {
    const { service, fetch, credential } = await through({
      headers: { 'x-title': 'Agents', 'helicone-cache-enabled': 'true' },
      apiVersion: '2024-10-21',
      keyHeader: 'api-key',
    });
    const sdk = new OpenAI({ apiKey: credential.apiKey, baseURL: service.url, fetch, maxRetries: 0 });
    await sdk.chat.completions.create({ model: 'gpt', messages: [{ role: 'user', content: 'x' }] });
    expect(service.requests[0]).toMatchObject({
      path: '/chat/completions?api-version=2024-10-21',
      headers: { 'x-title': 'Agents', 'helicone-cache-enabled': 'true', 'api-key': KEY },
    });
    expect(service.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('is adapted if it is a Request', async () => {
    const { service, fetch } = await through({ apiVersion: 'v1', headers: { 'x-a': 'b' } });
    await fetch(
      new Request(`${service.url}/a?b=c`, { method: 'POST', body: 'text', headers: { 'x-request-id': 'd' } }),
    );
    expect(service.requests[0]).toMatchObject({
      ...{ method: 'POST', path: '/a?b=c&api-version=v1', body: 'text', headers: { 'x-a': 'b', 'x-request-id': 'd' } },
    });
  });

  test.each([
    ['authorization', { authorization: `Bearer ${KEY}` }],
    ['x-api-key', { 'x-api-key': KEY }],
    ['api-key', { 'api-key': KEY }],
    ['x-goog-api-key', { 'x-goog-api-key': KEY }],
  ])('has the key in the header that the config names: %s', async (keyHeader, expected) => {
    const { service, provider, fetch } = await through({ keyHeader, protocol: 'anthropic' });
    await fetch(`${service.url}/v1/messages`, { method: 'POST', headers: { 'x-api-key': KEY } });
    await provider.service.check({ fetch: http.fetch, signal });
    expect(service.requests).toHaveLength(3);
    for (const { headers } of service.requests.slice(0, 2)) {
      expect(JSON.stringify(headers).match(new RegExp(KEY, 'g')), 'the key is sent once').toHaveLength(1);
      expect(headers).toMatchObject(expected);
    }
    expect(JSON.stringify(service.requests[2]?.headers), 'the check asks without the key too').not.toContain(KEY);
  });

  it("names the limit of tokens as the config does, and leaves out the config's fields", async () => {
    const { service, fetch } = await through({
      tokenParameter: 'max_completion_tokens',
      omitParameters: ['temperature', 'stream_options'],
    });
    const body = { model: 'gpt-5', max_tokens: 5, temperature: 0, stream: true, stream_options: {} };
    await fetch(`${service.url}/chat/completions`, { method: 'POST', body: JSON.stringify(body) });
    expect(JSON.parse(service.requests[0]?.body ?? '')).toEqual({
      model: 'gpt-5',
      max_completion_tokens: 5,
      stream: true,
    });
  });

  it('passes as it is to another origin, without the headers [G11]', async () => {
    const elsewhere = await startService({ status: 200, body: {} });
    const { fetch } = await through({ headers: { 'x-a': 'b' }, apiVersion: 'v1', keyHeader: 'api-key' });
    await fetch(`${elsewhere.url}/x`, { headers: { authorization: 'Bearer other' } });
    expect(elsewhere.requests[0]).toMatchObject({ path: '/x', headers: { authorization: 'Bearer other' } });
    expect(elsewhere.requests[0]?.headers).not.toHaveProperty('x-a');
  });

  it('has no key but its own', async () => {
    const { service, fetch } = await through({ keyHeader: 'api-key' });
    await fetch(`${service.url}/x`, { headers: { authorization: 'Bearer other' } });
    expect(service.requests[0]?.headers).toMatchObject({ 'api-key': KEY });
    expect(service.requests[0]?.headers).not.toHaveProperty('authorization');
  });
});

test.each([
  ['chat-completions', '/models', { authorization: `Bearer ${KEY}` }],
  ['responses', '/models', { authorization: `Bearer ${KEY}` }],
  ['anthropic', '/v1/models?limit=1', { 'x-api-key': KEY, authorization: `Bearer ${KEY}` }],
  ['gemini', '/v1beta/models?pageSize=1', { 'x-goog-api-key': KEY }],
])('a service under its own name is checked in the API that it speaks: %s', async (protocol, path, headers) => {
  const { service, provider } = await through({ protocol });
  await provider.service.check({ fetch: http.fetch, signal });
  expect(service.requests[0]).toMatchObject({ path, headers });
});
