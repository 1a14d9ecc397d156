/** Secrets are in what a socket sends, and nowhere before it. */
import { randomBytes } from 'node:crypto';
import diagnostics from 'node:diagnostics_channel';
import { connect } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { boundFetch } from '../../src/egress/bound-fetch.js';
import { createFetch, type HttpClient } from '../../src/egress/http-client.js';
import { awaitHead, completingHeads, newStandIn } from '../../src/egress/sealed-head.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { startService } from '../providers/local-service.js';
import { CERTIFICATE, startTlsService } from './tls-service.js';

const KEY = randomBytes(36).toString('hex');
let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY, connect: { ca: CERTIFICATE } });
});
afterAll(() => http.close());

const CHANNELS = [
  ...['undici:request:create', 'undici:request:bodySent', 'undici:request:headers', 'undici:request:trailers'],
  ...['undici:request:error', 'undici:client:sendHeaders', 'undici:client:beforeConnect', 'undici:client:connected'],
  ...['undici:client:connectError', 'net.client.socket', 'http.client.request.start'],
];

/** Everything that instrumentation is shown. */
function watchChannels() {
  const seen: string[] = [];
  const note = (message: unknown) => void seen.push(inspect(message, { depth: 12, showHidden: true, getters: true }));
  for (const channel of CHANNELS) diagnostics.subscribe(channel, note);
  onTestFinished(() => {
    for (const channel of CHANNELS) diagnostics.unsubscribe(channel, note);
  });
  return seen;
}

const bodies: [string, () => RequestInit['body']][] = [
  ['no body', () => undefined],
  ['a text', () => '{"a":1}'],
  ['bytes', () => Buffer.from('{"a":1}')],
  ['a form', () => Object.assign(new FormData(), {})],
  ['a stream', () => new Blob(['{"a":1}']).stream()],
];

describe('a request with a secret in its head', () => {
  it.each(bodies)(
    'and %s has the secret on the wire, and no channel of instrumentation has it [G19]',
    async (_what, body) => {
      const service = await startService({ status: 200, body: {} });
      const seen = watchChannels();
      const fetch = boundFetch(http.fetch, {
        baseURL: service.url,
        headers: { authorization: `Bearer ${KEY}` },
        query: { key: KEY },
      });
      const sent = body();
      const init = { method: sent === undefined ? 'GET' : 'POST', body: sent, duplex: 'half' } as RequestInit;
      const response = await fetch('/a?b=c', init);
      await response.text();
      expect(service.requests[0]).toMatchObject({
        path: `/a?b=c&key=${KEY}`,
        headers: { authorization: `Bearer ${KEY}` },
      });
      expect(seen.length).toBeGreaterThan(2);
      expect(seen.join('\n')).not.toContain(KEY);
      expect(inspect(response, { depth: 12, showHidden: true })).not.toContain(KEY);
    },
  );

  it('has a secret URL on the wire, also over TLS, and no channel has it [G19]', async () => {
    const paths: (string | undefined)[] = [];
    const url = await startTlsService(({ url: path }, response) => {
      paths.push(path);
      response.end('{}');
    });
    const seen = watchChannels();
    const fetch = boundFetch(http.fetch, { baseURL: `${url}/placeholder`, secretURL: `${url}/v2/${KEY}?a=b` });
    expect(await (await fetch(`${url}/placeholder`, { method: 'POST', body: '{}' })).text()).toBe('{}');
    expect(paths).toEqual([`/v2/${KEY}?a=b`]);
    expect(seen.join('\n')).not.toContain(KEY);
  });

  it('is shown to a channel when the secret is sent without a bound fetch: the control of the tests above', async () => {
    const service = await startService({ status: 200, body: {} });
    const seen = watchChannels();
    await http.fetch(service.url, { headers: { authorization: `Bearer ${KEY}` } });
    expect(seen.join('\n')).toContain(KEY);
  });

  it('fails without the secret in its error, also in the causes', async () => {
    const url = 'http://127.0.0.1:45999';
    const fetch = boundFetch(http.fetch, {
      baseURL: `${url}/x`,
      secretURL: `${url}/${KEY}`,
      headers: { 'x-key': KEY },
    });
    const error: unknown = await fetch(`${url}/x`).catch((thrown: unknown) => thrown);
    expect(inspect(error, { depth: 12, showHidden: true })).toContain('ECONNREFUSED');
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(KEY);
  });

  it.each(bodies)(
    'and %s is not sent if its credential is no longer current when it is written',
    async (_what, body) => {
      const service = await startService({ status: 200, body: {} });
      const fetch = boundFetch(
        http.fetch,
        { baseURL: service.url, headers: { 'x-key': KEY } },
        { isCurrent: () => false },
      );
      const sent = body();
      const init = { method: sent === undefined ? 'GET' : 'POST', body: sent, duplex: 'half' } as RequestInit;
      await expect(fetch('/a', init)).rejects.toMatchObject({ cause: { code: 'CREDENTIAL_CHANGED' } });
      expect(service.requests).toEqual([]);
    },
  );
});

describe('a socket', () => {
  async function socketTo(origin: string) {
    const received: string[] = [];
    const service = await startService(({ headers }) => {
      received.push(String(headers['x-key']));
      return { status: 200, body: {} };
    });
    const socket = completingHeads(connect(Number(new URL(service.url).port), '127.0.0.1'), origin);
    onTestFinished(() => void socket.destroy());
    return { socket, received, error: new Promise<Error>((resolve) => socket.once('error', resolve)) };
  }

  it('does not send a secret that is for another origin, as after a redirect that somebody follows [G11]', async () => {
    const { socket, received, error } = await socketTo('https://other.example');
    const standIn = newStandIn();
    const forget = awaitHead({ origin: 'https://api.example', texts: new Map([[standIn, KEY]]) });
    socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx-key: ${standIn}\r\n\r\n`, 'latin1');
    expect(await error).toMatchObject({ code: 'REFUSED_CREDENTIAL' });
    forget();
    expect(received).toEqual([]);
  });

  it('does not send a stand-in whose request has ended', async () => {
    const { socket, received, error } = await socketTo('https://api.example');
    const standIn = newStandIn();
    awaitHead({ origin: 'https://api.example', texts: new Map([[standIn, KEY]]) })();
    socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx-key: ${standIn}\r\n\r\n`, 'latin1');
    expect(await error).toMatchObject({ code: 'REFUSED_CREDENTIAL' });
    expect(received).toEqual([]);
  });
});
