/**
 * No socket opens but through the one HTTP client: the sockets of this process are counted while each activity runs
 * with what a workflow or a service may send, and a planted violation of each kind is found.
 */
import { createSocket } from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { createPublicClient } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProviderActivities } from '../../src/activities/provider-activities.js';
import { createFetch, type HttpClient } from '../../src/egress/http-client.js';
import { checkLive } from '../../src/providers/live-check.js';
import { viemTransport } from '../../src/providers/rpc/viem-transport.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { inActivity } from '../activities/in-activity.js';
import { type ServiceRequest, startService } from '../providers/local-service.js';
import { resolverInMemory, WORKSPACE } from '../resolver/resolver-in-memory.js';
import { parseProvider } from '../support/built-in-types.js';

const memory = resolverInMemory();
let client: HttpClient;

/** What opened a socket or asked a resolver, apart from the connector of the one client. */
const strays: string[] = [];
let guarded = 0;

function note(what: string): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = stackTraceLimit;
  if (/src\/egress\/connector\.ts/.test(stack)) guarded += 1;
  // A service of the test looks up the address that it listens on.
  else if (!/Server\.listen/.test(stack)) strays.push(what);
}

/** Replaces a function that opens sockets by one that reports its calls. */
function watch<Name extends string>(owner: { [Key in Name]: unknown }, name: Name, what: string): void {
  const original = owner[name] as (...call: unknown[]) => unknown;
  const watched = function (this: unknown, ...call: unknown[]) {
    note(what);
    return original.apply(this, call);
  };
  vi.spyOn(owner as Record<string, () => unknown>, name).mockImplementation(watched);
}

beforeAll(() => {
  client = createFetch({ egress: LOOPBACK_POLICY });
  watch(net.Socket.prototype, 'connect', 'a TCP socket');
  watch(tls, 'connect', 'a TLS socket');
  watch(http, 'request', 'an http request');
  watch(http, 'get', 'an http request');
  watch(dns, 'lookup', 'a look-up');
  watch(dns, 'resolve4', 'a look-up');
  watch(dns.promises, 'lookup', 'a look-up');
  watch(globalThis, 'fetch', 'the global fetch');
});

afterAll(async () => {
  vi.restoreAllMocks();
  await client.close();
});

beforeEach(() => {
  strays.length = 0;
  guarded = 0;
});

const EVIL = 'http://127.0.0.1:9/evil';
const ADDRESS = `0x${'0'.repeat(40)}` as const;

/** Answers what each API answers, and names other addresses wherever a library may follow one. */
function answer({ path, body }: ServiceRequest) {
  const location = { location: EVIL, link: `<${EVIL}>; rel=preload`, refresh: `0;url=${EVIL}`, 'alt-svc': 'h3=":9"' };
  const reply = (sent: object) => ({ status: 200, headers: location, body: sent });
  if (path.includes('simulate')) return reply({ transaction: { status: true, gas_used: 1 } });
  if (body.includes('eth_chainId')) return reply({ jsonrpc: '2.0', id: 1, result: '0x1' });
  if (body.includes('eth_call')) return { status: 200, body: { jsonrpc: '2.0', id: 1, error: offchainLookup() } };
  if (body.includes('jsonrpc')) return reply({ jsonrpc: '2.0', id: 1, result: '0x1' });
  if (path.includes('messages')) {
    const usage = { input_tokens: 1, output_tokens: 1 };
    const content = [{ type: 'text', text: `![](${EVIL})` }];
    return reply({ type: 'message', id: 'm', model: 'm', role: 'assistant', content, stop_reason: 'end_turn', usage });
  }
  if (path.includes('generateContent')) {
    const parts = [{ text: 'hi' }, { fileData: { mimeType: 'image/png', fileUri: EVIL } }];
    return reply({ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] });
  }
  const message = { role: 'assistant', content: `see ${EVIL}`, images: [{ image_url: { url: EVIL } }] };
  return reply({ id: 'c', created: 1, model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }], data: [] });
}

/** `OffchainLookup(address,string[],bytes,bytes4,bytes)`, which names a URL that viem would fetch. */
function offchainLookup() {
  const word = (value: number | bigint) => value.toString(16).padStart(64, '0');
  const url = Buffer.from(EVIL).toString('hex').padEnd(64, '0');
  const data = [
    ...[word(0), word(160), word(288), word(0), word(320)],
    ...[word(1), word(32), word(EVIL.length), url, word(0), word(0)],
  ];
  return { code: 3, message: 'execution reverted', data: `0x556f1830${data.join('')}` };
}

const refTo = (type: string, name: string) => ({
  ...{ workspaceId: WORKSPACE, type, name, version: 1, source: 'workspace', cache: 'hit', shown: {} },
});

async function serve() {
  const service = await startService(answer);
  const { store } = memory;
  for (const name of ['anthropic', 'gemini', 'local']) {
    await store.put(WORKSPACE, 'llm', name, { baseURL: service.url, model: 'm' }, { apiKey: 'canary-of-a-key-0001' });
  }
  await store.put(WORKSPACE, 'rpc', 'mainnet', { chainId: 1 }, { url: service.url });
  const tenderly = { account: 'a', project: 'p', baseURL: service.url };
  await store.put(WORKSPACE, 'tenderly', 'default', tenderly, { accessKey: 'canary-of-a-key-0002' });
  const resolver = memory.resolverWith({ fetch: client.fetch, within: client.within });
  return { service, resolver, activities: createProviderActivities(resolver) };
}

const PARTS = [
  { type: 'image', image: EVIL },
  { type: 'image', image: new URL(EVIL).href, mediaType: 'image/png' },
  { type: 'file', data: EVIL, mediaType: 'application/pdf' },
  { type: 'image', image: `data:image/png;base64,${Buffer.from(EVIL).toString('base64')}` },
];
const CONVERSATIONS = [
  { prompt: `Read ${EVIL}` },
  { messages: [{ role: 'user', content: EVIL }] },
  ...PARTS.map((part) => ({ messages: [{ role: 'user', content: [part] }] })),
  { messages: [{ role: 'assistant', content: [{ type: 'file', data: EVIL, mediaType: 'image/png' }] }] },
  { prompt: 'x', schema: { $ref: `${EVIL}#/$defs/a` } },
  { prompt: 'x', schema: { $schema: EVIL, $id: EVIL, type: 'object' } },
];

describe('no socket opens but through the one HTTP client [G10]', () => {
  test.each(['anthropic', 'gemini', 'local'])('while llmStep asks %s', async (name) => {
    const { activities, service } = await serve();
    for (const conversation of CONVERSATIONS) {
      const input = { ref: refTo('llm', name), ...conversation };
      await inActivity()
        .run(activities.llmStep, input as never)
        .catch(() => {});
    }
    expect(strays).toEqual([]);
    expect(service.requests.length, 'the texts were asked').toBeGreaterThanOrEqual(2);
    expect(guarded, 'the connections of the client are seen').toBeGreaterThan(0);
  });

  test('while rpcStep and tenderlyStep run, and the references are resolved', async () => {
    const { activities, resolver, service } = await serve();
    const ref = await resolver.resolveRpcEndpoint({ chainId: 1, workspaceId: WORKSPACE });
    await inActivity().run(activities.resolveRpcEndpoint, { chainId: 1, workspaceId: WORKSPACE });
    await inActivity().run(activities.rpcStep, { ref, method: 'eth_getBalance' as const, params: [ADDRESS, EVIL] });
    const call = { ref, method: 'eth_call' as const, params: [{ to: ADDRESS, data: '0x' }, 'latest'] };
    await inActivity()
      .run(activities.rpcStep, call)
      .catch(() => {});
    const tenderly = await resolver.resolveTenderlyConfig({ workspaceId: WORKSPACE });
    await inActivity().run(activities.resolveTenderlyConfig, { workspaceId: WORKSPACE });
    const transaction = { from: ADDRESS, to: ADDRESS };
    await inActivity().run(activities.tenderlyStep, { ref: tenderly, networkId: '1', transaction });
    expect(strays).toEqual([]);
    expect([service.requests.length, guarded > 0]).toEqual([4, true]);
  });

  test('while a contract asks viem for an off-chain look-up in an own activity', async () => {
    const { resolver, service } = await serve();
    const ref = await resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 });
    const read = resolver.withProvider(ref, ({ credential, fetch, signal }) =>
      createPublicClient({ transport: viemTransport(credential, fetch, signal) }).call({ to: ADDRESS, data: '0x' }),
    );
    await expect(read).rejects.toThrow();
    expect(service.requests.length).toBe(1);
    expect(strays).toEqual([]);
  });

  test('while each type is checked', async () => {
    const { service } = await serve();
    const secret = {
      apiKey: 'canary-of-a-key-0001',
      accessKey: 'canary-of-a-key-0001',
      adminKey: 'canary-of-a-key-0001',
    };
    const { apiKey, accessKey, adminKey } = secret;
    const providers = [
      parseProvider('llm', 'anthropic', { baseURL: service.url }, { apiKey }),
      parseProvider('llm', 'local', { baseURL: service.url }, { apiKey }),
      parseProvider('rpc', 'mainnet', { chainId: 1 }, { url: service.url }),
      parseProvider('tenderly', 'default', { account: 'a', project: 'p', baseURL: service.url }, { accessKey }),
      parseProvider('llm-admin', 'anthropic', { baseURL: service.url }, { adminKey }),
      parseProvider('http', 'any', { baseURL: service.url, probe: '/account' }, { key: apiKey }),
    ];
    for (const parsed of providers) await checkLive(parsed, client.fetch);
    expect(strays).toEqual([]);
    expect(service.requests.length).toBeGreaterThanOrEqual(providers.length);
  });
});

describe('the count finds', () => {
  test.each<[string, string, () => unknown]>([
    ['the global fetch', 'the global fetch', () => fetch(EVIL).catch(() => {})],
    ['a TCP socket', 'a TCP socket', () => net.connect(9, '127.0.0.1').on('error', () => {})],
    ['a TLS socket', 'a TLS socket', () => tls.connect(9, '127.0.0.1').on('error', () => {})],
    ['an http request', 'an http request', () => http.get(EVIL).on('error', () => {})],
    ['a look-up', 'a look-up', () => dns.promises.lookup('localhost')],
    ['a datagram to a name', 'a look-up', () => datagram()],
  ])('%s that is planted', async (_, what, plant) => {
    await plant();
    expect(strays).toContain(what);
  });
});

function datagram(): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => socket.send('x', 9, 'localhost', () => socket.close(() => resolve())));
}
