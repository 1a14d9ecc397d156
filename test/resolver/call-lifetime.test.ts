/** What a callback was given ends with it. */
import { describe, expect, it } from 'vitest';
import type { Fetch } from '../../src/egress/http-client.js';
import { callLifetime } from '../../src/resolver/call-lifetime.js';

const answering: Fetch = async () => new Response('an answer');
/** Answers only with an abort. */
const hanging: Fetch = (_input, init) =>
  new Promise((_resolve, reject) => {
    init?.signal?.addEventListener('abort', () => reject(init.signal?.reason), { once: true });
  });
const refusal = expect.objectContaining({
  type: 'SetupInvalid',
  message: expect.stringContaining('a withProvider callback that has ended'),
});

describe('a fetch of a callback', () => {
  it('works until the callback has ended, and refuses afterwards, without a request', async () => {
    let requests = 0;
    const { fetch, end } = callLifetime((...args) => {
      requests += 1;
      return answering(...args);
    });
    expect(await (await fetch('https://models.example')).text()).toBe('an answer');
    end();
    await expect(fetch('https://models.example')).rejects.toEqual(refusal);
    expect(requests).toBe(1);
  });

  it.each([
    ['the end of the callback', (end: () => void, _own: AbortController) => end(), refusal],
    ['its own signal', (_end: () => void, own: AbortController) => own.abort('enough'), 'enough'],
  ])('is aborted in flight by %s', async (_what, stop, reason) => {
    const own = new AbortController();
    const { fetch, end } = callLifetime(hanging);
    const asked = fetch('https://models.example', { signal: own.signal });
    const outcome = expect(asked).rejects.toEqual(reason);
    await new Promise(setImmediate);
    stop(end, own);
    await outcome;
  });

  it('heeds the signal of a request that is given in place of an address', async () => {
    const own = new AbortController();
    const { fetch } = callLifetime(hanging);
    const asked = fetch(new Request('https://models.example', { signal: own.signal }));
    const outcome = expect(asked).rejects.toBeDefined();
    await new Promise(setImmediate);
    own.abort();
    await outcome;
  });
});

describe('a signal of a callback', () => {
  it('is aborted when the callback has ended', () => {
    const { signal, end } = callLifetime(answering);
    expect(signal.aborted).toBe(false);
    end();
    expect(signal.reason).toEqual(refusal);
  });

  it('is aborted when the caller gives up', () => {
    const caller = new AbortController();
    const { signal } = callLifetime(answering, caller.signal);
    caller.abort('enough');
    expect(signal.reason).toBe('enough');
  });
});
