/** Behind a gateway that reads the key from one header, a check, a step and the vendor's SDK agree about the key. */
import Anthropic from '@anthropic-ai/sdk';
import { generateText } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import { aiSdkModel } from '../../../src/providers/llm/ai-sdk-model.js';
import { sentInDialect } from '../../../src/providers/llm/dialect.js';
import type { LlmCredential } from '../../../src/providers/llm/llm.js';
import type { ParsedProvider } from '../../../src/providers/parse-provider.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { keyIssuerOf, parseProvider, toProviderError } from '../../support/built-in-types.js';
import { type ServiceRequest, startService } from '../local-service.js';

const KEY = 'canary-anthropic-key-0001';
const ADMIN_KEY = 'canary-anthropic-admin-0001';
const signal = new AbortController().signal;
let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

const MODELS = { data: [{ type: 'model', id: 'a-model' }], has_more: false };
const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'a-model',
  content: [{ type: 'text', text: 'hello' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
};
const REFUSAL = { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } };

type Reads = (headers: ServiceRequest['headers']) => string | undefined;
const apiKey: Reads = (headers) => headers['x-api-key'] as string | undefined;
const bearer: Reads = ({ authorization }) => authorization?.replace(/^Bearer /, '');

/** @param admitted - the key that the gateway knows */
async function behind(reads: Reads, admitted = KEY) {
  const service = await startService((request) =>
    reads(request.headers) === admitted
      ? { status: 200, body: request.method === 'GET' ? MODELS : MESSAGE }
      : { status: 401, body: REFUSAL },
  );
  const parsed = parseProvider('llm', 'anthropic', { baseURL: service.url }, { apiKey: KEY });
  return { service, parsed };
}

/** What each of the three finds about the key: whether it is good. */
async function verdicts({ credential, service }: ParsedProvider<LlmCredential>): Promise<Record<string, boolean>> {
  const fetch = service.adaptFetch(http.fetch);
  const sdk = new Anthropic({
    apiKey: credential.apiKey,
    authToken: null,
    baseURL: credential.baseURL,
    fetch,
    maxRetries: 0,
  });
  const messages = [{ role: 'user', content: 'hi' } as const];
  const good = async (call: PromiseLike<unknown>) => {
    try {
      await call;
      return true;
    } catch (error) {
      const provider = { workspaceId: 'ws', type: 'llm', name: 'anthropic' };
      expect(toProviderError(error, provider)).toMatchObject({ type: 'CredentialRejected' });
      return false;
    }
  };
  return {
    check: (await service.check({ fetch: http.fetch, signal })).outcome === 'ok',
    step: await good(generateText({ model: aiSdkModel(credential, 'a-model', fetch), prompt: 'hi', maxRetries: 0 })),
    sdk: await good(sdk.messages.create({ model: 'a-model', max_tokens: 9, messages })),
  };
}

describe('a gateway in front of Anthropic', () => {
  it.each<[string, Reads]>([
    ['only x-api-key', apiKey],
    ['only a bearer token', bearer],
    ['either', (headers) => apiKey(headers) ?? bearer(headers)],
  ])('that reads %s gets the key from each client', async (_which, reads) => {
    const good = await behind(reads);
    expect(await verdicts(good.parsed)).toEqual({ check: true, step: true, sdk: true });
    const dead = await behind(reads, 'another-key-0002');
    expect(await verdicts(dead.parsed)).toEqual({ check: false, step: false, sdk: false });
  });

  it.each<[string, Reads]>([
    ['only x-api-key', apiKey],
    ['only a bearer token', bearer],
  ])('that reads %s gets the admin key too, from the check and from the revocation of a key', async (_which, reads) => {
    const key = { id: 'apikey_1', status: 'active', partial_key_hint: `${KEY.slice(0, 8)}...${KEY.slice(-4)}` };
    const service = await startService(({ headers, method }) => {
      if (reads(headers) !== ADMIN_KEY) return { status: 401, body: REFUSAL };
      return { status: 200, body: method === 'GET' ? { data: [key], has_more: false } : { status: 'inactive' } };
    });
    const config = { baseURL: service.url };
    const admin = parseProvider('llm-admin', 'anthropic', config, { adminKey: ADMIN_KEY });
    const context = { fetch: http.fetch, signal };
    expect(await admin.service.check(context)).toMatchObject({ outcome: 'ok' });
    const revoked = await keyIssuerOf('llm', 'anthropic')?.revoke?.(
      admin.credential,
      { secret: { apiKey: KEY } },
      { ...context, fetch: admin.service.adaptFetch(http.fetch) },
    );
    expect(revoked).toMatchObject({ outcome: 'revoked' });
    expect(service.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST']);
    const dead = parseProvider('llm-admin', 'anthropic', config, { adminKey: `${ADMIN_KEY}-dead` });
    expect(await dead.service.check(context)).toMatchObject({ outcome: 'rejected' });
  });

  it('is not assumed at the URL of the vendor, nor for another provider', () => {
    const headersOf = (provider: string, baseURL: string) =>
      Object.keys(sentInDialect({ provider, baseURL }, KEY).headers ?? {});
    expect(headersOf('anthropic', 'https://api.anthropic.com')).toEqual(['x-api-key']);
    expect(headersOf('mistral', 'https://x.example/v1')).toEqual(['authorization']);
  });
});
