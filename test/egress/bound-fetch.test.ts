/** A `fetch` that is bound to a service: where it may go, and what it adds. */
import { describe, expect, it, vi } from 'vitest';
import { type Binding, boundFetch } from '../../src/egress/bound-fetch.js';

const KEY = 'canary-key-5e1f0c7d';
const BASE = 'https://api.example.com/v2';

function bound(binding: Partial<Binding> = {}) {
  const sent = vi.fn(async (_url: URL, _init: RequestInit) => new Response('{}'));
  const fetch = boundFetch(sent as never, { baseURL: BASE, headers: { 'x-api-key': KEY }, ...binding });
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
    ['another host', 'https://evil.example/v2/reports'],
    ['another port', 'https://api.example.com:8443/v2/reports'],
    ['plain http', 'http://api.example.com/v2/reports'],
    ['a path beside the base URL', 'https://api.example.com/v1/reports'],
    ['a path that begins like the base URL', 'https://api.example.com/v2-admin'],
    ['dots that lead out of it', `${BASE}/../v1/reports`],
    ['encoded dots', `${BASE}/%2e%2e/v1/reports`],
    ['an encoded slash', `${BASE}/a%2f..%2f..%2fv1`],
    ['an encoded backslash', `${BASE}/..%5cv1`],
    ['a user in the URL', 'https://a:b@api.example.com/v2/reports'],
    ['a path alone that names a host', '//evil.example/v2'],
    ['text that is not a URL', 'reports'],
  ])('refuses %s before anything is sent [G11]', async (_what, url) => {
    const one = bound();
    await expect(one.fetch(url)).rejects.toMatchObject({ type: 'ProviderConfigInvalid' });
    expect(one.sent).not.toHaveBeenCalled();
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
  ])('calls %s if one of its hosts fits: %s', async (url, fits) => {
    const one = bound({ hosts: ['eu.data.example.com', '*.svc.example.net'] });
    const outcome = await one.fetch(url).then(
      () => true,
      () => false,
    );
    expect(outcome).toBe(fits);
  });

  it('puts a key into the query, replaces the one of the caller, and leaves the rest as it is written', async () => {
    const one = bound({ headers: {}, query: { 'api key': KEY } });
    const response = await one.fetch('/api?q=a%20b+c&api%20key=mine&api+key=mine&x');
    expect(one.url()).toBe(`${BASE}/api?q=a%20b+c&x&api+key=${KEY}`);
    expect(response.url, 'the URL of the response is without the key').not.toContain('canary');
  });

  it('sends nothing of the credential if it has no path to send it to', async () => {
    const one = bound();
    const error: unknown = await one.fetch('https://evil.example/').catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error) + String(error)).not.toContain('canary');
  });
});
