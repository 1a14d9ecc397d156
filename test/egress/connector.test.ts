/**
 * Sends every hostile form through every client, against a canary that must not be reached. Each must be refused by the
 * guard itself, because another failure proves nothing. The only exceptions are forms that are not valid URLs.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createFetch, type FetchOptions } from '../../src/egress/http-client.js';
import { EgressPolicy, type EgressPolicyOptions } from '../../src/egress/policy.js';
import { aiSdk, anthropicSdk, googleSdk, openaiSdk, plainFetch, viem } from '../providers/callers.js';
import { everyPrintOf } from '../providers/prints.js';
import { toProviderError } from '../support/built-in-types.js';
import { type Canary, startCanary } from './canary.js';
import { HOSTILE_HOSTS, HOSTILE_NAMES, HOSTILE_URLS } from './hostile-forms.js';

let canary: Canary;
beforeAll(async () => {
  canary = await startCanary();
});
afterAll(() => canary.stop());

/** Resolves the names of the corpus, and records the look-ups. */
function resolver(names: Readonly<Record<string, readonly (readonly string[])[]>> = HOSTILE_NAMES) {
  const asked: string[] = [];
  const lookUp = async (hostname: string) => {
    asked.push(hostname);
    const answers = names[hostname] ?? [];
    return answers[Math.min(asked.filter((name) => name === hostname).length, answers.length) - 1] ?? [];
  };
  return { asked, lookUp };
}

function fetchWith(egress: EgressPolicyOptions, connect?: FetchOptions['connect']) {
  const http = createFetch({ egress: new EgressPolicy({ lookUp: resolver().lookUp, ...egress }), connect });
  onTestFinished(() => http.close());
  return http.fetch;
}

/** The guard's code from the error or one of its causes, or the error itself if there is none. */
function codeOf(error: unknown): unknown {
  for (let link = error as { code?: unknown; cause?: unknown } | undefined; link; link = link.cause as typeof link) {
    if (typeof link.code === 'string' && link.code.startsWith('REFUSED_')) return link.code;
  }
  return error;
}

async function codeFrom(call: Promise<unknown>): Promise<unknown> {
  return call.then(() => 'IT ANSWERED', codeOf);
}

const hosts = Object.entries(HOSTILE_HOSTS).flatMap(([kind, all]) =>
  all.map((host) => [kind, `https://${host}:PORT/`]),
);
const urls = Object.entries(HOSTILE_URLS).flatMap(([kind, all]) => all.map((url) => [kind, url]));
const names = Object.keys(HOSTILE_NAMES).map((name) => ['internal addresses by name', `https://${name}:PORT/`]);
const corpus = [...hosts, ...urls, ...names] as [string, string][];

describe('the corpus of hostile forms', () => {
  it('has at least 80 forms, without duplicates', () => {
    expect(new Set(corpus.map(([, url]) => url)).size).toBe(corpus.length);
    expect(corpus.length).toBeGreaterThanOrEqual(80);
  });

  it.each(corpus)('%s: %j does not reach the canary [G10]', async (_kind, form) => {
    const before = canary.connections;
    const url = form.replace('PORT', String(canary.port));
    if (URL.canParse(url)) {
      expect(await codeFrom(fetchWith({ ports: 'any' })(url))).toMatch(/^REFUSED_(ADDRESS|USERINFO|INSECURE_URL)$/);
    } else {
      await expect(fetchWith({ ports: 'any' })(url)).rejects.toMatchObject({ code: 'ERR_INVALID_URL' });
    }
    expect(canary.connections).toBe(before);
  });

  it('has few forms that are not valid URLs, because those do not test the guard', () => {
    const unreadable = corpus.filter(([, form]) => !URL.canParse(form.replace('PORT', '443')));
    expect(unreadable.length).toBeLessThan(10);
  });
});

describe('a name whose answers change', () => {
  const rebinding = { 'rebinding.example.com': [['127.0.0.77'], ['127.0.0.1']] };

  it('is connected to the address that was checked, without a second look-up [G10]', async () => {
    const before = canary.connections;
    const { asked, lookUp } = resolver(rebinding);
    const service = await startSecureService('127.0.0.77', canary.port);
    const fetch = fetchWith({ lookUp, networks: ['127.0.0.77/32'], ports: 'any' }, PRESHARED);
    const url = `https://rebinding.example.com:${service.port}/`;
    expect(await (await fetch(url)).text()).toBe('outside');
    expect(asked).toEqual(['rebinding.example.com']);
    expect(canary.connections).toBe(before);
  });

  it('is checked again for each connection [G10]', async () => {
    const before = canary.connections;
    const { asked, lookUp } = resolver(rebinding);
    await startSecureService('127.0.0.77', canary.port);
    const fetch = fetchWith({ lookUp, networks: ['127.0.0.77/32'], ports: 'any' }, PRESHARED);
    const url = `https://rebinding.example.com:${canary.port}/`;
    await (await fetch(url)).text();
    expect(await codeFrom(fetch(url))).toBe('REFUSED_ADDRESS');
    expect(asked).toHaveLength(2);
    expect(canary.connections).toBe(before);
  });
});

describe('ports', () => {
  it.each([22, 25, 80, 5432, 6379, 11434])('of a public host are refused: %d', async (port) => {
    const { asked, lookUp } = resolver();
    expect(await codeFrom(fetchWith({ lookUp })(`https://outside.example.com:${port}/`))).toBe('REFUSED_PORT');
    expect(asked).toEqual([]);
  });

  it('443 and 8443 are allowed by default, and others only if they are listed', () => {
    const refusalOf = (url: string, ports?: number[]) => new EgressPolicy({ ports }).refusalOf(new URL(url));
    expect(refusalOf('https://outside.example.com/')).toBeUndefined();
    expect(refusalOf('https://outside.example.com:8443/')).toBeUndefined();
    expect(refusalOf('https://outside.example.com:11434/', [11434])).toBeUndefined();
    expect(refusalOf('https://outside.example.com/', [11434])).toBe('REFUSED_PORT');
  });
});

describe('a call through a client library', () => {
  const callers = { anthropicSdk, openaiSdk, googleSdk, viem, plainFetch };
  const all = Object.entries({ 'AI SDK': aiSdk('anthropic'), 'AI SDK for OpenAI': aiSdk('openai'), ...callers });
  const forms = ['https://127.0.0.1', 'https://[::ffff:7f00:1]', 'https://0x7f.1', 'https://inside.example.com'];

  it.each(all)('is refused without a retry, and its error names no address: %s', async (_name, caller) => {
    const before = canary.connections;
    for (const form of [...forms, 'http://127.0.0.1', 'https://public-then-private.example.com']) {
      const url = `${form}:${canary.port}`;
      const error = await caller({ url, fetch: fetchWith({ ports: 'any' }) }).catch((thrown: unknown) => thrown);
      const type = caller === viem ? 'rpc' : 'llm';
      const failure = toProviderError(error, { workspaceId: 'ws_acme', type, name: 'own' });
      const field = type === 'rpc' ? 'secret.url' : 'config.baseURL';
      expect(failure).toMatchObject({ type: 'ProviderConfigInvalid', retryable: false, facts: { fields: [field] } });
      expect(failure?.message).toBe(
        `${type}/own of ws_acme: ${field} leads to an address that is not allowed: see PROVIDER_EGRESS_NETWORKS and PROVIDER_EGRESS_REFUSED (REFUSED_ADDRESS)`,
      );
      expect(everyPrintOf(failure)).not.toContain(new URL(url).host);
    }
    expect(canary.connections).toBe(before);
  });

  it.each(all)(
    'reaches the canary if loopback is allowed, so the refusals are due to the policy: %s',
    async (_name, caller) => {
      const before = canary.connections;
      const fetch = fetchWith({ networks: ['loopback'] });
      await caller({ url: `http://127.0.0.1:${canary.port}`, fetch }).catch(() => undefined);
      expect(canary.connections).toBeGreaterThan(before);
    },
  );
});

describe('an egress connection', () => {
  it('is refused in the same way at an open and at a closed port [G10]', async () => {
    const fetch = fetchWith({ ports: 'any' });
    const closed = await fetch('https://127.0.0.1:1/').catch((thrown: Error) => thrown);
    const open = await fetch(`https://127.0.0.1:${canary.port}/`).catch((thrown: Error) => thrown);
    expect(open).toEqual(closed);
  });

  it.each([301, 302, 303, 307, 308])(
    'to an allowed host does not follow a redirect to an internal address: %d',
    async (status) => {
      const before = canary.connections;
      const location = `http://127.0.0.1:${canary.port}/`;
      const server = createHttpServer((_request, response) => response.writeHead(status, { location }).end());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const fetch = fetchWith({ networks: ['loopback'] });
      expect(await codeFrom(fetch(`http://127.0.0.1:${port}/`, { redirect: 'follow' }))).toBe('REFUSED_REDIRECT');
      expect(canary.connections).toBe(before);
    },
  );

  // undici connects to a Unix socket instead, so the connection ends elsewhere than at the checked address.
  it('is closed if its socket is not connected to an allowed address [G10]', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'egress-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const socketPath = join(folder, 'elsewhere.sock');
    const requests: unknown[] = [];
    const server = createHttpServer((request) => requests.push(request));
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    onTestFinished(() => void server.close());
    const fetch = fetchWith({ networks: ['loopback'] }, { socketPath });
    expect(await codeFrom(fetch('http://127.0.0.1/'))).toBe('REFUSED_ADDRESS');
    expect(requests).toEqual([]);
  });

  /*
   * A test cannot listen on a public address. So one loopback address is allowed as a network, without the word
   * `loopback`. It follows the same rules as a public address (https, a name, the port list, the look-up, the socket's
   * address), and the same client still refuses its neighbour, where the canary is.
   */
  it('reaches an allowed name over TLS with its own server name, and is refused to the next address [G10]', async () => {
    const before = canary.connections;
    const service = await startSecureService('127.0.0.77');
    const names = { 'models.example.com': [['127.0.0.77']], 'neighbour.example.com': [['127.0.0.1']] };
    const { lookUp } = resolver(names);
    const fetch = fetchWith({ lookUp, networks: ['127.0.0.77/32'], ports: [service.port, canary.port] }, PRESHARED);
    expect(await (await fetch(`https://models.example.com:${service.port}/`)).text()).toBe('outside');
    expect(service.servernames).toEqual(['models.example.com']);
    expect(await codeFrom(fetch(`https://neighbour.example.com:${canary.port}/`))).toBe('REFUSED_ADDRESS');
    expect(await codeFrom(fetch(`https://127.0.0.1:${canary.port}/`))).toBe('REFUSED_ADDRESS');
    expect(canary.connections).toBe(before);
  });
});

/** TLS with a pre-shared key, so that the test needs no certificate. */
const PSK = Buffer.from('canary-preshared-key');
const PRESHARED = {
  ciphers: 'PSK-AES128-GCM-SHA256',
  maxVersion: 'TLSv1.2',
  pskCallback: () => ({ psk: PSK, identity: 'test' }),
  checkServerIdentity: () => undefined,
} as const satisfies FetchOptions['connect'];

async function startSecureService(host: string, wanted = 0) {
  const servernames: unknown[] = [];
  const { ciphers, maxVersion } = PRESHARED;
  const server: Server = createServer({ ciphers, maxVersion, pskCallback: () => PSK }, (socket) => {
    servernames.push(socket.servername);
    socket.on('error', () => {});
    // Closed after each answer, so that each call opens its own connection.
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 7\r\n\r\noutside'));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(wanted, host, resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { servernames, port: (server.address() as AddressInfo).port };
}
