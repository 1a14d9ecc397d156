/** The requests of a step: each with the version that is served when it is sent, however long the step runs. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createFetch, type HttpClient } from '../../src/egress/http-client.js';
import { Lease } from '../../src/fence/lease.js';
import type { LlmCredential } from '../../src/providers/llm/llm.js';
import { outdating } from '../../src/resolver/connect-parts.js';
import type { ProviderCall } from '../../src/resolver/provider-call.js';
import type { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { type Answer, type ServiceReply, startService } from '../providers/local-service.js';
import { TestClock } from '../support/leases.js';
import { resolverInMemory, WORKSPACE } from './resolver-in-memory.js';

const memory = resolverInMemory();
const NAME = 'local';
const key = (serial: number) => `canary-key-of-local-${String(serial).padStart(4, '0')}`;
let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

const OK: ServiceReply = { status: 200, body: {} };

async function stage(answer: Answer | ServiceReply = OK, lease?: Lease) {
  const service = await startService(answer);
  const put = (serial: number) =>
    memory.store.put(WORKSPACE, 'llm', NAME, { baseURL: service.url }, { apiKey: key(serial) });
  await put(1);
  const resolver = memory.resolverWith({ fetch: http.fetch, ...(lease && { lease }) });
  const { cache, scopes } = resolver.parts;
  /** A change that this process has applied, as a fence waits for it. */
  const apply = () => outdating(cache, scopes).clear();
  const change = async (serial: number) => {
    await put(serial);
    apply();
  };
  const reference = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: NAME });
  const step = <Result>(run: (call: ProviderCall<LlmCredential>) => Promise<Result>) =>
    resolver.withProvider(reference, run);
  const sent = () => service.requests.map(({ headers }) => headers.authorization?.replace('Bearer ', ''));
  return { ...{ service, resolver, step, put, change, apply, sent }, held: () => heldIn(resolver) };
}

const heldIn = ({ parts }: ProviderResolver) => parts.scopes.outdated();
const get = async ({ fetch }: ProviderCall<LlmCredential>, init?: RequestInit) => (await fetch('/models', init)).text();

/** Events that the test lets go one by one. */
function heldEvents() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  async function* events() {
    yield 'data: first\n\n';
    await ended;
    yield 'data: last\n\n';
  }
  onTestFinished(() => end());
  return { end, reply: { status: 200, headers: { 'content-type': 'text/event-stream' }, events: events() } };
}

describe('a step that makes several requests', () => {
  it('sends each with the version that is served then, without an end of the step [G16]', async () => {
    const { step, change, sent } = await stage();
    const used = await step(async ({ use, ...call }) => {
      await get({ use, ...call });
      await change(2);
      await get({ use, ...call });
      await get({ use, ...call });
      await change(3);
      await get({ use, ...call });
      return use;
    });
    expect(sent()).toEqual([key(1), key(2), key(2), key(3)]);
    expect(used, 'the step says which version answered').toMatchObject({ version: 3 });
  });

  it('never sends the older version, if the change is applied while the connection is made [G16]', async () => {
    const { step, put, apply, sent } = await stage();
    await put(2); // which this process has not heard of
    await step(async (call) => {
      const answer = get(call);
      // Then the request has its credential, and its head is not written: a socket has to be opened first.
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      apply();
      await answer;
    });
    expect(sent()).toEqual([key(2)]);
  });

  it('sends nothing with what it read before its lease ended [G16]', async () => {
    const clock = new TestClock();
    const lease = new Lease(1_000, clock);
    lease.extend(lease.now());
    const { step, put, sent } = await stage(OK, lease);
    await step(async (call) => {
      await get(call);
      await put(2);
      const answer = get(call);
      clock.nowMs += 2_000;
      await answer;
    });
    expect(sent()).toEqual([key(1), key(2)]);
  });

  it('fails with the reason if its provider is disabled or removed meanwhile, and sends nothing more', async () => {
    const { step, apply, service } = await stage();
    const failed = step(async (call) => {
      await get(call);
      memory.store.write(WORKSPACE, 'llm', NAME, { status: 'disabled' });
      apply();
      await get(call);
    });
    await expect(failed).rejects.toMatchObject({ type: 'ProviderDisabled' });
    const removed = await stage();
    const gone = removed.step(async (call) => {
      memory.store.remove(WORKSPACE, 'llm', NAME);
      removed.apply();
      await get(call);
    });
    await expect(gone).rejects.toMatchObject({ type: 'ProviderNotConfigured' });
    expect([service.requests.length, removed.service.requests.length]).toEqual([1, 0]);
  });

  it('fails so that it is run again if its provider has another address now, and sends the key to neither', async () => {
    const { step, apply, service } = await stage();
    const other = await startService(OK);
    const failed = step(async (call) => {
      await memory.store.put(WORKSPACE, 'llm', NAME, { baseURL: other.url }, { apiKey: key(2) });
      apply();
      await get(call);
    });
    await expect(failed).rejects.toMatchObject({ type: 'ProviderConfigInvalid', retryable: true });
    expect([...service.requests, ...other.requests]).toEqual([]);
  });
});

describe('a refused credential', () => {
  const refusing =
    (dead: number): Answer =>
    ({ headers }) =>
      headers.authorization === `Bearer ${key(dead)}`
        ? { status: 401, body: { error: { code: 'invalid_api_key' } } }
        : OK;

  it.each<[string, RequestInit['body']]>([
    ['no body', undefined],
    ['a text', '{"a":1}'],
    ['bytes', new TextEncoder().encode('{"a":1}')],
  ])('is read again, and the request with %s is sent once more, within the step', async (_what, body) => {
    const { step, put, sent, service } = await stage(refusing(1));
    let runs = 0;
    const status = await step(async ({ fetch }) => {
      runs += 1;
      await put(2); // which this process has not heard of
      return (await fetch('/chat', { method: body === undefined ? 'GET' : 'POST', body })).status;
    });
    expect([status, runs]).toEqual([200, 1]);
    expect(sent()).toEqual([key(1), key(2)]);
    expect(service.requests[1]?.body).toBe(service.requests[0]?.body);
  });

  it('is returned with its whole answer if there is no other, after one more read', async () => {
    const { step } = await stage(refusing(1));
    const loads = memory.store.loads;
    const answer = await step(async ({ fetch }) => {
      const response = await fetch('/models');
      return [response.status, response.url, await response.json()];
    });
    expect(answer).toEqual([401, expect.stringMatching(/\/models$/), { error: { code: 'invalid_api_key' } }]);
    expect(memory.store.loads - loads).toBe(1);
  });

  it('is not what another address has answered: its answer is left to the caller, and nothing is read again', async () => {
    const { step, service } = await stage();
    const other = await startService({ status: 401, body: { error: { code: 'invalid_api_key' } } });
    const loads = memory.store.loads;
    const answer = await step(async ({ fetch }) => {
      const response = await fetch(`${other.url}/models`, { headers: { authorization: 'Bearer of the caller' } });
      return [response.status, await response.json()];
    });
    expect(answer).toEqual([401, { error: { code: 'invalid_api_key' } }]);
    expect([memory.store.loads - loads, other.requests.length, service.requests.length]).toEqual([0, 1, 0]);
  });

  it('of a request whose body is a stream is left to the step, which runs once more', async () => {
    const { step, put, sent } = await stage(refusing(1));
    let runs = 0;
    await step(async ({ fetch }) => {
      runs += 1;
      await put(2);
      const body = new Blob(['{}']).stream();
      const response = await fetch('/chat', { method: 'POST', body, duplex: 'half' } as RequestInit);
      if (!response.ok) throw Object.assign(new Error('refused'), { status: response.status });
    });
    expect(runs).toBe(2);
    expect(sent()).toEqual([key(1), key(2)]);
  });
});

describe('a drain counts', () => {
  it('a request until its answer has ended, and not the step that made it [G16]', async () => {
    const { end, reply } = heldEvents();
    const { step, change, held } = await stage(({ path }) => (path === '/stream' ? reply : OK));
    await step(async (call) => {
      const response = await call.fetch('/stream');
      const reader = response.body?.getReader();
      await reader?.read();
      await change(2);
      expect(held()).toMatchObject([{ provider: { name: NAME }, version: 1, count: 1 }]);
      await get(call);
      expect(held(), 'a request with the newer version is not counted').toMatchObject([{ version: 1, count: 1 }]);
      end();
      while (!(await reader?.read())?.done);
      expect(held(), 'the step still runs').toEqual([]);
    });
  });

  it.each<[string, (response: Response, abort: () => void) => unknown]>([
    ['cancelled', (response) => response.body?.cancel()],
    ['aborted', (_response, abort) => abort()],
  ])('no answer that was %s', async (_how, giveUp) => {
    const { reply } = heldEvents();
    const { step, change, held } = await stage(reply);
    await step(async ({ fetch }) => {
      const own = new AbortController();
      const response = await fetch('/stream', { signal: own.signal });
      await change(2);
      expect(held()).toMatchObject([{ count: 1 }]);
      await giveUp(response, () => own.abort());
      while (held().length > 0) await delay(1);
    });
  });

  it('no answer that nobody has read, once its step has ended', async () => {
    const { reply } = heldEvents();
    const { step, change, held } = await stage(reply);
    await step(async ({ fetch }) => {
      await fetch('/stream');
      await change(2);
      expect(held()).toMatchObject([{ count: 1 }]);
    });
    expect(held()).toEqual([]);
  });

  it('a step to which the credential was revealed, until it ends', async () => {
    const { step, change, held } = await stage();
    await step(async ({ reveal, credential }) => {
      const revealed = await reveal();
      expect(revealed).toEqual({ ...credential, apiKey: key(1) });
      await change(2);
      expect(held()).toMatchObject([{ version: 1, count: 1 }]);
      expect((await reveal()).apiKey).toBe(key(2));
    });
    expect(held()).toEqual([]);
  });

  it('no step that only runs, nor one whose requests have ended', async () => {
    const { step, change, held } = await stage();
    await step(async (call) => {
      await get(call);
      await change(2);
      expect(held()).toEqual([]);
    });
  });

  it('reveals nothing after the step has ended', async () => {
    const { step } = await stage();
    const { reveal } = await step(async (call) => call);
    await expect(reveal()).rejects.toMatchObject({ type: 'SetupInvalid' });
  });

  it('reveals nothing to a step that ended while the credential was read [G16]', async () => {
    const { step, apply } = await stage();
    const { revealing } = await step(async ({ reveal }) => {
      apply(); // so that it has to be loaded
      const revealing = reveal();
      revealing.catch(() => {});
      return { revealing };
    });
    await expect(revealing).rejects.toMatchObject({ type: 'SetupInvalid' });
  });
});
