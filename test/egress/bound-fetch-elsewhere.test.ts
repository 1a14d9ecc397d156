/** Requests of a bound fetch to another address: with the placeholder in it, in whatever form, none leaves the process. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Binding, boundFetch } from '../../src/egress/bound-fetch.js';
import { createFetch, type HttpClient } from '../../src/egress/http-client.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { startService } from '../providers/local-service.js';

const KEY = randomBytes(36).toString('hex');
const UNIQUE = `wpk${randomBytes(12).toString('hex')}`;
let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

/** How providers are bound to the service at `origin`. */
const BINDINGS: Readonly<Record<string, (origin: string) => Binding>> = {
  'a key in a header': (origin) => ({
    ...{ baseURL: `${origin}/v2`, headers: { 'x-api-key': KEY }, placeholders: [`sk-ant-${UNIQUE}`] },
  }),
  'a key in the query': (origin) => ({ baseURL: `${origin}/v2`, query: { key: KEY }, placeholders: [UNIQUE] }),
  'a secret URL': (origin) => {
    const baseURL = `${origin}/${UNIQUE}`;
    return { baseURL, secretURL: `${origin}/v2/${KEY}`, placeholders: [baseURL] };
  },
  'a key that its caller sends': (origin) => ({
    ...{ baseURL: `${origin}/v2`, placeholders: [UNIQUE], swaps: new Map([[UNIQUE, KEY]]) },
  }),
  'a key in the path at other hosts': (origin) => ({
    ...{ baseURL: `${origin}/v2`, placeholders: [UNIQUE] },
    pathsAt: [{ host: '*.gateway.example', placeholder: UNIQUE, secret: KEY }],
  }),
  'a key for further hosts': (origin) => ({
    ...{ baseURL: `${origin}/v2`, headers: { 'x-api-key': KEY }, placeholders: [UNIQUE], hosts: ['*.data.example'] },
  }),
};

const at = (url: string, change: Partial<Pick<URL, 'protocol' | 'hostname' | 'host' | 'port'>>) =>
  Object.assign(new URL(url), change).origin;

/** Origins that are not the one of the service, where a server would answer. */
const ORIGINS: Readonly<Record<string, (own: string, other: string) => string>> = {
  'another port': (_own, other) => other,
  'another host': (own) => at(own, { hostname: 'localhost' }),
  'another host, in mixed case': (own) => own.replace('127.0.0.1', 'LocalHost'),
  'another scheme': (own) => own.replace('http:', 'https:'),
  'another scheme, in upper case': (own) => own.replace('http:', 'HTTPS:'),
  'another host and scheme': (_own, other) => at(other, { hostname: 'localhost' }).replace('http:', 'https:'),
  'a host whose key goes into the path, by plain http': () => 'http://a.gateway.example',
  'a further host, by plain http': () => 'http://a.data.example',
  'a further host, at another port': () => 'https://a.data.example:8443',
};

const base64 = (text: string) => Buffer.from(text).toString('base64');
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const percents = (text: string) => [...text].map((each) => `%${each.charCodeAt(0).toString(16)}`).join('');
const post = (body: unknown, more = {}): RequestInit => ({ method: 'POST', body, ...more }) as RequestInit;
const form = (name: string, value: string | Blob) => {
  const data = new FormData();
  data.set(name, value);
  return data;
};
const withHeader = (name: string, value: string): RequestInit => ({ headers: { [name]: value } });

/** Where a caller may have the placeholder, and in what form. */
const PLACES: Readonly<Record<string, (origin: string) => [string | URL | Request, RequestInit?]>> = {
  'a header': (o) => [o, withHeader('x-api-key', UNIQUE)],
  'a header, within other text': (o) => [o, withHeader('x-signature', `keyId="${UNIQUE}",v=1`)],
  'a header in upper case': (o) => [o, withHeader('x-api-key', UNIQUE.toUpperCase())],
  'a header, URL-encoded': (o) => [o, withHeader('x-api-key', percents(UNIQUE))],
  'a header in hex': (o) => [o, withHeader('x-api-key', Buffer.from(UNIQUE).toString('hex'))],
  'the name of a header': (o) => [o, withHeader(`x-${UNIQUE}`, '1')],
  'a bearer token': (o) => [o, withHeader('authorization', `Bearer ${UNIQUE}`)],
  'a bearer token in base64': (o) => [o, withHeader('authorization', `Bearer ${base64(`me:${UNIQUE}`)}`)],
  'the password of basic authentication': (o) => [o, withHeader('authorization', `Basic ${base64(`me:${UNIQUE}`)}`)],
  'its user': (o) => [o, withHeader('authorization', `BASIC  ${base64(`${UNIQUE}:`)}`)],
  'basic authentication of a proxy': (o) => [o, withHeader('proxy-authorization', `Basic ${base64(`a:${UNIQUE}`)}`)],
  'a cookie': (o) => [o, withHeader('cookie', `a=b; key=${UNIQUE}`)],
  'the headers of a Request': (o) => [new Request(o, withHeader('x-api-key', UNIQUE))],
  'the path': (o) => [`${o}/v2/${UNIQUE}`],
  'the path alone': (o) => [new URL(`${o}/${UNIQUE}`)],
  'the path, URL-encoded': (o) => [`${o}/${percents(UNIQUE)}`],
  'the path, URL-encoded twice': (o) => [`${o}/${encodeURIComponent(percents(UNIQUE))}`],
  'the query': (o) => [`${o}/v2?a=b&key=${UNIQUE}`],
  'the name of a parameter': (o) => [`${o}/v2?${UNIQUE}`],
  'the query, URL-encoded beside a lone %': (o) => [`${o}/v2?discount=5%&key=${percents(UNIQUE)}`],
  'the query in base64url': (o) => [`${o}/v2?key=${base64url(`key:${UNIQUE}`)}`],
  'the fragment': (o) => [`${o}/v2#${UNIQUE}`],
  'the user of the URL': (o) => [o.replace('//', `//${UNIQUE}@`)],
  'the password of the URL': (o) => [o.replace('//', `//me:${UNIQUE}@`)],
  'the password of the URL, URL-encoded': (o) => [o.replace('//', `//me:${percents(UNIQUE)}@`)],
  'a label of the host': (o) => [o.replace('//', `//${UNIQUE}.`).replace('127.0.0.1', 'localhost')],
  'a label of the host in upper case': (o) => [`https://${UNIQUE.toUpperCase()}.example${new URL(o).pathname}`],
  'a text as body': (o) => [o, post(JSON.stringify({ key: UNIQUE }))],
  'an object as body, which is sent as text': (o) => [o, post(new URL(`https://a.example/${UNIQUE}`))],
  'bytes as body': (o) => [o, post(Buffer.from(`--${UNIQUE}--`))],
  'a part of a buffer as body': (o) => [o, post(new DataView(new TextEncoder().encode(`ab${UNIQUE}`).buffer, 2))],
  'an ArrayBuffer as body': (o) => [o, post(new TextEncoder().encode(UNIQUE).buffer)],
  'a Blob as body': (o) => [o, post(new Blob(['{"key":"', UNIQUE, '"}']))],
  'URL-encoded parameters as body': (o) => [o, post(new URLSearchParams({ url: `https://x/?k=${UNIQUE}` }))],
  'a field of a form': (o) => [o, post(form('key', UNIQUE))],
  'the name of a field': (o) => [o, post(form(UNIQUE, '1'))],
  'a file of a form': (o) => [o, post(form('file', new Blob([UNIQUE])))],
  'the body of a Request': (o) => [new Request(o, post(JSON.stringify({ key: UNIQUE })))],
};

async function outcome(sent: Promise<Response>): Promise<unknown> {
  return sent.then(
    ({ status }) => `answered with ${status}`,
    (error: Error & { type?: string }) => error.type ?? `failed with ${error.message}`,
  );
}

describe.each(Object.entries(BINDINGS))('a fetch that is bound to %s', (_kind, bindingTo) => {
  it.each(Object.entries(ORIGINS))(
    'refuses each request to %s that has the placeholder in it, and opens no connection [G11]',
    async (_what, originOf) => {
      const [own, other] = [
        await startService({ status: 200, body: {} }),
        await startService({ status: 200, body: {} }),
      ];
      const fetch = boundFetch(http.fetch, bindingTo(own.url));
      const origin = originOf(own.url, other.url);
      for (const [place, request] of Object.entries(PLACES))
        expect([place, await outcome(fetch(...request(origin)))]).toEqual([place, 'ProviderConfigInvalid']);
      expect([own.connections(), other.connections()]).toEqual([0, 0]);
    },
  );

  it('sends a request to another origin without it, and without the credential: the control', async () => {
    const [own, other] = [await startService({ status: 200, body: {} }), await startService({ status: 200, body: {} })];
    const fetch = boundFetch(http.fetch, bindingTo(own.url));
    const caller = { 'x-caller': 'me', authorization: 'Bearer of the caller' };
    await fetch(`${other.url}/a?b=c`, { headers: caller });
    await fetch(new Request(`${other.url}/d`, post('{"e":1}', { headers: caller })));
    expect(other.requests).toMatchObject([
      { path: '/a?b=c', headers: caller },
      { method: 'POST', path: '/d', body: '{"e":1}', headers: caller },
    ]);
    expect(JSON.stringify(other.requests)).not.toContain(KEY);
    expect(own.connections()).toBe(0);
  });
});

describe('paths of the service', () => {
  const beside = (path: string) => (origin: string) => `${origin}${path}`;
  const PATHS: Readonly<Record<string, (origin: string) => string>> = {
    'another path': beside('/v1/reports'),
    'no path': beside(''),
    'a longer name': beside('/v2-admin'),
    'another case': beside('/V2/reports'),
    'dots that lead out': beside('/v2/../v1'),
    'encoded dots that lead out': beside('/v2/%2e%2E/v1'),
    'encoded slashes': beside('/v2/a%2F..%2f..%2fv1'),
    'a user': (origin) => `${origin.replace('//', '//me@')}/v2`,
    'a backslash': beside('\\v1\\reports'),
  };

  it.each(Object.entries(PATHS))(
    'that are not its own are refused, and no connection is opened: %s [G11]',
    async (_what, urlOf) => {
      const { url, connections } = await startService({ status: 200, body: {} });
      for (const [kind, bindingTo] of Object.entries(BINDINGS)) {
        const fetch = boundFetch(http.fetch, bindingTo(url));
        for (const init of [{}, withHeader('x-api-key', UNIQUE)])
          expect([kind, await outcome(fetch(urlOf(url), init))]).toEqual([kind, 'ProviderConfigInvalid']);
      }
      expect(connections()).toBe(0);
    },
  );

  it('of a secret URL: only the placeholder itself is called', async () => {
    const { url, connections, requests } = await startService({ status: 200, body: {} });
    const fetch = boundFetch(http.fetch, (BINDINGS['a secret URL'] as (origin: string) => Binding)(url));
    for (const path of [
      '',
      '/v2',
      `/${UNIQUE}/`,
      `/${UNIQUE}/a`,
      `/${UNIQUE}?a=b`,
      `/a/${UNIQUE}`,
      `/${percents(UNIQUE)}`,
    ])
      expect([path, await outcome(fetch(`${url}${path}`))]).toEqual([path, 'ProviderConfigInvalid']);
    expect(connections()).toBe(0);
    await fetch(`${url.toUpperCase()}/${UNIQUE}`);
    expect(requests).toMatchObject([{ path: `/v2/${KEY}` }]);
  });

  it('with the placeholder in the path are refused, also if it is encoded', async () => {
    const { url, connections } = await startService({ status: 200, body: {} });
    const fetch = boundFetch(http.fetch, (BINDINGS['a key in a header'] as (origin: string) => Binding)(url));
    for (const text of [UNIQUE, percents(UNIQUE)])
      expect(await outcome(fetch(`/a/${text}/b`))).toBe('ProviderConfigInvalid');
    expect(connections()).toBe(0);
  });
});

it.each([
  ['its host in another case', (url: string) => url.toUpperCase()],
  ['its address in another notation', (url: string) => url.replace('127.0.0.1', '0x7f.1')],
  ['its host, encoded', (url: string) => url.replace('127.0.0.1', percents('127.0.0.1'))],
])('a URL with %s leads to the service, with the credential', async (_how, written) => {
  const { url, requests } = await startService({ status: 200, body: {} });
  const fetch = boundFetch(http.fetch, (BINDINGS['a key in a header'] as (origin: string) => Binding)(url));
  await fetch(`${written(url)}/v2/reports`, { headers: { 'X-API-Key': `sk-ant-${UNIQUE}` } });
  expect(requests).toMatchObject([{ path: '/v2/reports', headers: { 'x-api-key': KEY } }]);
});
