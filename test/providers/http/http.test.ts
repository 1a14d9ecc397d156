/** The type `http`: any API with a key in a header or in the query. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import { toProviderError } from '../../../src/providers/answers/provider-error.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { ETHERSCAN, startEtherscan } from '../../../testbed/standins/etherscan.js';
import { fromEnvironment, parseProvider } from '../../support/built-in-types.js';
import { startService } from '../local-service.js';

const KEY = 'canary-key-of-http-5e1f';
const PROVIDER = { workspaceId: 'ws_acme', type: 'http', name: 'etherscan' };
let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());
const context = () => ({ fetch: http.fetch, signal: new AbortController().signal });

const parse = (config: object) => parseProvider('http', 'etherscan', config, { key: KEY });
const fetchOf = ({ service }: ReturnType<typeof parse>) => service.adaptFetch?.(http.fetch) ?? http.fetch;

describe('an http provider', () => {
  it.each<[object, object]>([
    [{}, { authorization: `Bearer ${KEY}` }],
    [{ auth: 'bearer' }, { authorization: `Bearer ${KEY}` }],
    [{ auth: 'scheme:Token' }, { authorization: `Token ${KEY}` }],
    [{ auth: 'header:X-Api-Key' }, { 'x-api-key': KEY }],
    [{ auth: 'basic' }, { authorization: `Basic ${btoa(`${KEY}:`)}` }],
    [{ auth: 'basic', username: 'AC123' }, { authorization: `Basic ${btoa(`AC123:${KEY}`)}` }],
  ])('sends its key as %j says', async (config, headers) => {
    const service = await startService({ status: 200, body: {} });
    await fetchOf(parse({ baseURL: `${service.url}/v1`, ...config }))('/things');
    expect(service.requests[0]).toMatchObject({ path: '/v1/things', headers });
  });

  it('sends its key in the query', async () => {
    const service = await startService({ status: 200, body: {} });
    await fetchOf(parse({ baseURL: service.url, auth: 'query:apikey' }))('/v2/api?chainid=1');
    expect(service.requests[0]?.path).toBe(`/v2/api?chainid=1&apikey=${KEY}`);
  });

  it('hands over where the API is, and a placeholder for the key', () => {
    const parsed = parse({ baseURL: 'https://api.example.com/v1', auth: 'header:X-Api-Key' });
    expect(parsed.credential).toEqual({
      baseURL: 'https://api.example.com/v1',
      key: expect.stringMatching(/^wpk[0-9a-f]{24}$/),
    });
    expect(parsed.shown).toEqual({ key: '…5e1f', host: 'api.example.com' });
  });

  it('is sealed for its URL and for how the key is sent: a change of one needs the key again [G11]', () => {
    const { destination } = parse({ baseURL: 'https://api.example.com/', auth: 'basic', username: 'ana' });
    expect(destination).toBe('https://api.example.com auth=basic username=ana');
  });

  it('calls only its paths', async () => {
    const service = await startService({ status: 200, body: {} });
    const fetch = fetchOf(parse({ baseURL: service.url, paths: '/v2/reports, /v2/users' }));
    expect((await fetch('/v2/reports/7')).status).toBe(200);
    await expect(fetch('/v2/admin')).rejects.toThrow('is not below /v2/reports or /v2/users: see config.paths');
    expect(service.requests).toHaveLength(1);
  });

  it.each<[object, string]>([
    [{ baseURL: 'http://api.example.com' }, 'config.baseURL'],
    [{}, 'config.baseURL'],
    [{ auth: 'digest' }, 'config.auth'],
    [{ auth: 'header:' }, 'config.auth'],
    [{ auth: 'header:Host' }, 'config.auth'],
    [{ auth: 'header:Content-Length' }, 'config.auth'],
    [{ auth: 'header:X Key' }, 'config.auth'],
    [{ username: 'a:b' }, 'config.username'],
    [{ paths: ['reports'] }, 'config.paths'],
    [{ paths: ['/a%2f..'] }, 'config.paths'],
    [{ paths: [] }, 'config.paths'],
    [{ probe: 'account' }, 'config.probe'],
    [{ probe: '/a#b' }, 'config.probe'],
    [{ answers: [{ means: 'CredentialRejected' }] }, 'config.answers'],
    [{ answers: [{ status: 200, means: 'Success' }] }, 'config.answers'],
    [{ answers: [{ status: 200, means: 'ProviderUnavailable', extra: 1 }] }, 'config.answers'],
  ])('is refused with %j', (config, field) => {
    const { baseURL } = { baseURL: 'https://api.example.com', ...config } as { baseURL?: string };
    const given = field === 'config.baseURL' ? config : { ...config, baseURL };
    expect(() => parse(given)).toThrow(expect.objectContaining({ facts: { fields: [field] } }));
  });

  it('of the platform is read from the environment', () => {
    const env = { HTTP_MY_API_KEY: KEY, HTTP_MY_API_URL: 'https://api.example.com', HTTP_MY_API_AUTH: 'header:X-Key' };
    expect(fromEnvironment('http', 'my.api', env)).toMatchObject({
      config: { baseURL: 'https://api.example.com', auth: 'header:X-Key' },
      secret: { key: KEY },
    });
    expect(fromEnvironment('http', 'other', env)).toBeUndefined();
  });

  it.each([
    [401, 'CredentialRejected'],
    [403, 'CredentialRejected'],
    [402, 'ProviderQuotaExhausted'],
    [429, 'ProviderRateLimited'],
    [500, 'ProviderUnavailable'],
  ])('fails its fetch if the service answers %i: %s', async (status, type) => {
    const service = await startService({ status, body: {} });
    const parsed = parse({ baseURL: service.url });
    const error: unknown = await fetchOf(parsed)('/x').catch((thrown: unknown) => thrown);
    expect(toProviderError(error, PROVIDER, parsed.service)).toMatchObject({ type });
  });

  it('returns other answers, whatever they are', async () => {
    const service = await startService({
      status: 404,
      headers: { 'content-type': 'text/plain' },
      body: 'no such thing',
    });
    const response = await fetchOf(parse({ baseURL: service.url }))('/x');
    expect([response.status, await response.text()]).toEqual([404, 'no such thing']);
  });

  it('without a probe cannot be checked', async () => {
    const { service } = parse({ baseURL: 'https://api.example.com' });
    expect(await service.check(context())).toEqual({ outcome: 'cannot-tell', detail: 'this provider has no check' });
  });
});

describe('Etherscan, which reports errors with the status 200, as an http provider', () => {
  const setUp = async () => {
    const service = await startEtherscan({ keys: [KEY] });
    const parsed = parse({ ...ETHERSCAN, baseURL: service.url });
    return { service, parsed, fetch: fetchOf(parsed) };
  };
  const BALANCE = '/v2/api?chainid=1&module=account&action=balance&address=0x0&tag=latest';

  it('answers with the key in the query', async () => {
    const { fetch } = await setUp();
    expect(await (await fetch(BALANCE)).json()).toEqual({
      status: '1',
      message: 'OK',
      result: '40891626854930000000000',
    });
  });

  it('passes an empty result on, although it has the status of an error', async () => {
    const { service, fetch } = await setUp();
    service.answerNext({ status: '0', message: 'No transactions found', result: [] });
    expect(await (await fetch(BALANCE)).json()).toMatchObject({ result: [] });
  });

  it.each([
    ['Invalid API Key (#err2)|', 'CredentialRejected'],
    ['Missing/Invalid API Key', 'CredentialRejected'],
    ['Max calls per sec rate limit reached (5/sec)', 'ProviderRateLimited'],
    ['Max daily rate limit reached. 110000 (100%) of 100000 day/limit', 'ProviderQuotaExhausted'],
    ['Query Timeout occured. Please select a smaller result dataset', 'ProviderRequestInvalid'],
    ['Error! Missing Or invalid Action name', 'ProviderRequestInvalid'],
    ['Free API access is not supported for this chain.', 'ProviderRequestInvalid'],
    ['Unexpected error, timeout or server too busy. Please try again later', 'ProviderUnavailable'],
  ])('fails with the meaning of its error: %s', async (result, type) => {
    const { service, parsed, fetch } = await setUp();
    service.answerNext({ status: '0', message: 'NOTOK', result });
    const error: unknown = await fetch(BALANCE).catch((thrown: unknown) => thrown);
    expect(toProviderError(error, PROVIDER, parsed.service)).toMatchObject({ type });
  });

  it('is checked by a call that costs nothing', async () => {
    const { service, parsed } = await setUp();
    expect(await parsed.service.check(context())).toMatchObject({ outcome: 'ok' });
    service.revoke(KEY);
    expect(await parsed.service.check(context())).toMatchObject({ outcome: 'rejected' });
  });
});
