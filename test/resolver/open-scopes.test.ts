/** Which credentials are reported as held by callbacks, and when a wait for them ends. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ProviderReference } from '../../src/protocol/references.js';
import { OpenScopes } from '../../src/resolver/open-scopes.js';

const ANTHROPIC = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' };
const NEVER = new AbortController().signal;

let scopes: OpenScopes;
beforeEach(() => {
  scopes = new OpenScopes();
});

function reference(version: number, of: Partial<ProviderReference> = {}): ProviderReference {
  return { ...ANTHROPIC, version, source: 'workspace', cache: 'hit', shown: {}, ...of };
}

const held = (version: number) => scopes.heldBelow(ANTHROPIC, version).map((each) => [each.version, each.count]);

describe('the report of held credentials', () => {
  it('counts only older versions, each separately, the oldest first', () => {
    for (const version of [2, 1, 3, 1]) scopes.hold(reference(version));
    expect(held(3)).toEqual([
      [1, 2],
      [2, 1],
    ]);
    expect(held(1)).toEqual([]);
  });

  it('includes how long the longest scope has held one', async () => {
    scopes.hold(reference(1));
    const startMs = performance.now();
    while (performance.now() - startMs < 5);
    scopes.hold(reference(1));
    expect(scopes.heldBelow(ANTHROPIC, 2)[0]?.longestMs).toBeGreaterThanOrEqual(4);
  });

  it('covers one provider: another workspace, type or name does not count', () => {
    scopes.hold(reference(1, { workspaceId: 'ws_globex' }));
    scopes.hold(reference(1, { type: 'tenderly' }));
    scopes.hold(reference(1, { name: 'openai' }));
    expect(held(9)).toEqual([]);
  });

  it('never includes the platform’s credential', () => {
    const platform = reference(0, { source: 'platform' });
    scopes.hold(platform).opened(platform);
    expect(held(9)).toEqual([]);
  });

  it('includes the version that may be opened, until it is known which one was', () => {
    const scope = scopes.hold(reference(1));
    expect(held(2)).toEqual([[1, 1]]);
    scope.opened(reference(3));
    expect([held(3), held(4)]).toEqual([[], [[3, 1]]]);
  });

  it('drops a scope once, even if it is released twice', () => {
    const scope = scopes.hold(reference(1));
    scopes.hold(reference(1));
    scope.release();
    scope.release();
    expect(held(2)).toEqual([[1, 1]]);
  });

  it('keeps a scope that began before an earlier one was released a second time', () => {
    const scope = scopes.hold(reference(1));
    scope.release();
    scopes.hold(reference(1));
    scope.release();
    expect(held(2)).toEqual([[1, 1]]);
  });
});

describe('a wait', () => {
  it('ends at once if nothing older is held', async () => {
    scopes.hold(reference(2));
    await scopes.waitUntilReleased(ANTHROPIC, 2, NEVER);
  });

  it('ends only when the last older scope is released', async () => {
    const [first, second, third] = [1, 2, 3].map((version) => scopes.hold(reference(version)));
    let isOver = false;
    const waiting = scopes.waitUntilReleased(ANTHROPIC, 3, NEVER).then(() => {
      isOver = true;
    });
    third?.release();
    first?.release();
    await new Promise(setImmediate);
    expect(isOver).toBe(false);
    second?.release();
    await waiting;
  });

  it('ends when a held credential turns out to be new enough', async () => {
    const scope = scopes.hold(reference(1));
    const waiting = scopes.waitUntilReleased(ANTHROPIC, 2, NEVER);
    scope.opened(reference(2));
    await waiting;
  });

  it('also waits for older scopes that begin meanwhile', async () => {
    const first = scopes.hold(reference(1));
    let isOver = false;
    const waiting = scopes.waitUntilReleased(ANTHROPIC, 2, NEVER).then(() => {
      isOver = true;
    });
    const second = scopes.hold(reference(1));
    first.release();
    await new Promise(setImmediate);
    expect(isOver).toBe(false);
    second.release();
    await waiting;
  });

  it.each([
    ['before it began', true],
    ['while it waits', false],
  ])('fails with the reason of its signal if that was aborted %s', async (_, isEarly) => {
    scopes.hold(reference(1));
    const ending = new AbortController();
    if (isEarly) ending.abort(new Error('enough'));
    const waiting = scopes.waitUntilReleased(ANTHROPIC, 2, ending.signal);
    if (!isEarly) ending.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
