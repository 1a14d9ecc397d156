/** A `fetch` that is bound to a service: where it may go, and what it adds. */
import { describe, expect, it, vi } from 'vitest';
import { type Binding, boundFetch } from '../../src/egress/bound-fetch.js';

const KEY = 'canary-key-5e1f0c7d';
const PLACEHOLDER = 'wpk5e1f0c7d5e1f0c7d5e1f0c7d';
const BASE = 'https://api.example.com/v2';

function bound(binding: Partial<Binding> = {}) {
  const sent = vi.fn(async (_url: URL, _init: RequestInit) => new Response('{}'));
  const own = { baseURL: BASE, headers: { 'x-api-key': KEY }, placeholders: [PLACEHOLDER] };
  const fetch = boundFetch(sent as never, { ...own, ...binding });
  return { fetch, sent, url: () => sent.mock.calls[0]?.[0].href, init: () => sent.mock.calls[0]?.[1] ?? {} };
}

describe('a bound fetch', () => {
  it.each([
    ['a path', '/reports?page=1', `${BASE}/reports?page=1`],
    ['a URL', `${BASE}/reports`, `${BASE}/reports`],
    ['a URL object', new URL(`${BASE}/reports`), `${BASE}/reports`],
    ['the base URL itself', BASE, BASE],
  ])('calls %s below its base URL, with the credential', async (_what, input, url) => {
    const one = bound();
    await one.fetch(input);
    expect(one.url()).toBe(url);
    expect(new Headers(one.init().headers).get('x-api-key')).toBe(KEY);
  });

  it('keeps method, body, headers and signal of a Request, and replaces a placeholder for the key', async () => {
    const one = bound();
    const { signal } = new AbortController();
    const headers = { 'X-Api-Key': 'a placeholder', 'content-type': 'application/json' };
    await one.fetch(new Request(`${BASE}/query`, { method: 'POST', body: '{"a":1}', headers, signal }));
    expect(one.init()).toMatchObject({ method: 'POST', signal: expect.any(AbortSignal) });
    expect(await new Response(one.init().body).text()).toBe('{"a":1}');
    expect(Object.fromEntries(new Headers(one.init().headers))).toEqual({
      'x-api-key': KEY,
      'content-type': 'application/json',
    });
  });

  it.each([
    ['a path beside the base URL', 'https://api.example.com/v1/reports'],
    ['a path that begins like the base URL', 'https://api.example.com/v2-admin'],
    ['dots that lead out of it', `${BASE}/../v1/reports`],
    ['encoded dots', `${BASE}/%2e%2e/v1/reports`],
    ['an encoded slash', `${BASE}/a%2f..%2f..%2fv1`],
    ['an encoded backslash', `${BASE}/..%5cv1`],
    ['a user in the URL', 'https://a:b@api.example.com/v2/reports'],
    ['text that is not a URL', 'reports'],
  ])('refuses %s before anything is sent [G11]', async (_what, url) => {
    const one = bound();
    await expect(one.fetch(url)).rejects.toMatchObject({ type: 'ProviderConfigInvalid' });
    expect(one.sent).not.toHaveBeenCalled();
  });

  const elsewhere = [
    ['another host', 'https://evil.example/v2/reports'],
    ['another port', 'https://api.example.com:8443/v2/reports'],
    ['plain http', 'http://api.example.com/v2/reports'],
    ['a host that begins like its own', 'https://api.example.com.evil.example/v2'],
  ] as const;

  describe.each(elsewhere)('with the placeholder in a request to %s', (_what, url) => {
    it.each<[string, string, RequestInit]>([
      ['a header', url, { headers: { 'x-api-key': PLACEHOLDER } }],
      ['a bearer token', url, { headers: { authorization: `Bearer ${PLACEHOLDER}` } }],
      [
        'a password',
        url,
        { headers: { authorization: `Basic ${Buffer.from(`me:${PLACEHOLDER}`).toString('base64')}` } },
      ],
      ['the path', `${url}/${PLACEHOLDER}`, {}],
      ['the query', `${url}?key=${PLACEHOLDER}`, {}],
      ['an encoded query', `${url}?key=%77${PLACEHOLDER.slice(1)}`, {}],
      ['a body', url, { method: 'POST', body: JSON.stringify({ key: PLACEHOLDER }) }],
      ['a body of bytes', url, { method: 'POST', body: Buffer.from(PLACEHOLDER) }],
      ['a form', url, { method: 'POST', body: new URLSearchParams({ key: PLACEHOLDER }) }],
    ])('as %s, refuses it before anything is sent [G11]', async (_where, target, init) => {
      const one = bound();
      await expect(one.fetch(target, init)).rejects.toMatchObject({
        type: 'ProviderConfigInvalid',
        message: expect.stringContaining('is not at https://api.example.com'),
      });
      expect(one.sent).not.toHaveBeenCalled();
    });

    it('without the placeholder, sends it as the caller made it, without the credential', async () => {
      const one = bound();
      await one.fetch(url, { headers: { authorization: 'Bearer of the caller' } });
      expect(one.url()).toBe(url);
      expect(Object.fromEntries(new Headers(one.init().headers))).toEqual({ authorization: 'Bearer of the caller' });
    });
  });

  it.each([
    ['authorization', 'Bearer platform'],
    ['api-key', 'platform'],
    ['x-goog-api-key', 'platform'],
    ['x-goog-user-project', 'platform'],
    ['cookie', 'session=platform'],
    ['proxy-authorization', 'Basic cGxhdGZvcm0='],
    ['openai-organization', 'org-platform'],
    ['openai-project', 'proj-platform'],
    ['anthropic-workspace-id', 'wrkspc-platform'],
    ['x-acme-team', 'platform'],
    ['x-amz-security-token', 'platform'],
    ['x-acme', 'Bearer platform'],
    ['host', 'evil.example'],
    ['x-forwarded-host', 'evil.example'],
  ])('takes out the header %s, which is not of its credential', async (name, value) => {
    const one = bound();
    await one.fetch('/reports', { headers: { [name]: value, 'x-api-version': '2' } });
    expect(Object.fromEntries(new Headers(one.init().headers))).toEqual({ 'x-api-key': KEY, 'x-api-version': '2' });
  });

  it('sends only the headers of the caller that its type names', async () => {
    const one = bound({ callerHeaders: ['accept', 'x-stainless-*'] });
    const headers = { accept: '*/*', 'x-stainless-os': 'Linux', 'x-anything': 'else' };
    await one.fetch('/reports', { headers });
    const { 'x-anything': _, ...kept } = headers;
    expect(Object.fromEntries(new Headers(one.init().headers))).toEqual({ ...kept, 'x-api-key': KEY });
  });

  it('takes the placeholder out of the query, and refuses it in the path', async () => {
    const one = bound();
    await one.fetch(`/reports?a=b&key=${PLACEHOLDER}`);
    expect(one.url()).toBe(`${BASE}/reports?a=b`);
    await expect(one.fetch(`/${PLACEHOLDER}/reports`)).rejects.toThrow('where the service does not take it');
  });

  it('calls a URL that is the secret in place of its placeholder, and no other path', async () => {
    const one = bound({
      baseURL: `https://rpc.example/${PLACEHOLDER}`,
      secretURL: `https://rpc.example/v2/${KEY}?network=mainnet`,
      headers: {},
    });
    const response = await one.fetch(`https://rpc.example/${PLACEHOLDER}`, { method: 'POST', body: '{}' });
    expect(one.url()).toBe(`https://rpc.example/v2/${KEY}?network=mainnet`);
    expect(response.url).toBe(`https://rpc.example/${PLACEHOLDER}`);
    for (const path of ['', `/${PLACEHOLDER}/x`, `/${PLACEHOLDER}?a=b`, '/v2'])
      await expect(one.fetch(`https://rpc.example${path}`), path).rejects.toMatchObject({
        type: 'ProviderConfigInvalid',
      });
  });

  it('puts a secret into the path at another host, if its type says so', async () => {
    const pathsAt = [{ host: '*.gateway.example', placeholder: PLACEHOLDER, secret: KEY }];
    const one = bound({ pathsAt, headers: { 'x-api-key': 'another key' } });
    await one.fetch(`https://mainnet.gateway.example/${PLACEHOLDER}`);
    expect(one.url()).toBe(`https://mainnet.gateway.example/${KEY}`);
    expect(new Headers(one.init().headers).get('x-api-key')).toBeNull();
    await expect(one.fetch(`https://gateway.example/${PLACEHOLDER}`)).rejects.toThrow('is not at');
  });

  describe('of a type that leaves to its caller how a secret is sent', () => {
    const swaps = { headers: undefined, swaps: new Map([[PLACEHOLDER, KEY]]) };
    it.each([
      ['a header', '/a', { 'x-any': PLACEHOLDER }, `${BASE}/a`, { 'x-any': KEY }],
      [
        'a bearer token',
        '/a',
        { authorization: `Bearer ${PLACEHOLDER}` },
        `${BASE}/a`,
        { authorization: `Bearer ${KEY}` },
      ],
      [
        ...['a password', '/a', { authorization: `Basic ${btoa(`me:${PLACEHOLDER}`)}` }],
        ...[`${BASE}/a`, { authorization: `Basic ${btoa(`me:${KEY}`)}` }],
      ],
      ['the path', `/bot${PLACEHOLDER}/a`, {}, `${BASE}/bot${KEY}/a`, {}],
      ['the query', `/a?key=${PLACEHOLDER}&b=c`, {}, `${BASE}/a?key=${KEY}&b=c`, {}],
    ] as [string, string, Record<string, string>, string, object][])(
      'replaces the placeholder in %s',
      async (_where, input, headers, url, sent) => {
        const one = bound(swaps);
        await one.fetch(input, { headers: { ...headers, cookie: 'platform' } });
        expect(one.url()).toBe(url);
        expect(Object.fromEntries(new Headers(one.init().headers))).toEqual(sent);
      },
    );

    it('sends what the caller has signed itself as it is', async () => {
      const one = bound(swaps);
      await one.fetch('/a', { headers: { 'x-signature': 'by the caller' } });
      expect(new Headers(one.init().headers).get('x-signature')).toBe('by the caller');
    });
  });

  it('calls only the given paths and what is below them', async () => {
    const one = bound({ paths: ['/reports', '/users/me'] });
    await one.fetch('/reports/7');
    await one.fetch('/users/me');
    for (const path of ['/reports-of-others', '/users', '/users/you', '/reports/../users/you', '/']) {
      await expect(one.fetch(path), path).rejects.toThrow('see config.paths');
    }
    expect(one.sent).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['https://eu.data.example.com/query', true],
    ['https://index.svc.example.net/query', true],
    ['https://svc.example.net/query', false],
    ['https://evil-svc.example.net.attacker.example/query', false],
    ['http://eu.data.example.com/query', false],
    ['https://eu.data.example.com:8443/query', false],
    ['https://index.svc.example.net:8443/query', false],
  ])('sends its credential to %s if one of its hosts fits: %s', async (url, fits) => {
    const one = bound({ hosts: ['eu.data.example.com', '*.svc.example.net'] });
    await one.fetch(url);
    expect(new Headers(one.init().headers).get('x-api-key')).toBe(fits ? KEY : null);
  });

  it('puts a key into the query, replaces the one of the caller, and leaves the rest as it is written', async () => {
    const one = bound({ headers: {}, query: { 'api key': KEY } });
    const response = await one.fetch('/api?q=a%20b+c&api%20key=mine&api+key=mine&x');
    expect(one.url()).toBe(`${BASE}/api?q=a%20b+c&x&api+key=${KEY}`);
    expect(response.url, 'the URL of the response is without the key').not.toContain('canary');
  });

  it('refuses without a word about the secret', async () => {
    const one = bound();
    const error: unknown = await one.fetch('/../').catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error) + String(error)).not.toContain('canary');
  });
});
