/** Which callbacks are reported as holding a credential that may be older than what is served. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ProviderReference } from '../../src/protocol/references.js';
import { OpenScopes } from '../../src/resolver/open-scopes.js';

const ANTHROPIC = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' };

let scopes: OpenScopes;
beforeEach(() => {
  scopes = new OpenScopes();
});

function reference(version: number, of: Partial<ProviderReference> = {}): ProviderReference {
  return { ...ANTHROPIC, version, source: 'workspace', cache: 'hit', shown: {}, ...of };
}

function reported(): unknown {
  const held = scopes.outdated();
  if (held === 'too-many') return held;
  return held.map(({ provider: { workspaceId, name }, version, count }) => [workspaceId, name, version, count]);
}

describe('the report of held credentials', () => {
  it('has what began before the last change of its workspace, and nothing that began later', () => {
    scopes.hold(reference(1));
    expect(reported()).toEqual([]);
    scopes.outdate(['ws_acme']);
    scopes.hold(reference(1));
    expect(reported()).toEqual([['ws_acme', 'anthropic', 1, 1]]);
    scopes.outdate(['ws_acme']);
    expect(reported()).toEqual([['ws_acme', 'anthropic', 1, 2]]);
  });

  it('has all workspaces after a change of everything, and otherwise only those that changed', () => {
    for (const workspaceId of ['ws_acme', 'ws_globex']) scopes.hold(reference(1, { workspaceId }));
    scopes.outdate(['ws_globex', 'ws_other']);
    expect(reported()).toEqual([['ws_globex', 'anthropic', 1, 1]]);
    scopes.outdate();
    expect(reported()).toEqual([
      ['ws_acme', 'anthropic', 1, 1],
      ['ws_globex', 'anthropic', 1, 1],
    ]);
  });

  it('counts each provider and version separately, the oldest first', () => {
    for (const version of [2, 1, 3, 1]) scopes.hold(reference(version));
    scopes.hold(reference(1, { name: 'openai' }));
    scopes.outdate();
    expect(reported()).toEqual([
      ['ws_acme', 'anthropic', 1, 2],
      ['ws_acme', 'openai', 1, 1],
      ['ws_acme', 'anthropic', 2, 1],
      ['ws_acme', 'anthropic', 3, 1],
    ]);
  });

  it('includes how long the longest scope has held one', () => {
    scopes.hold(reference(1));
    const startMs = performance.now();
    while (performance.now() - startMs < 5);
    scopes.hold(reference(1));
    scopes.outdate();
    expect(scopes.outdated()).toMatchObject([{ longestMs: expect.toSatisfy((ms: number) => ms >= 4) }]);
  });

  it('never includes the platform’s credential', () => {
    const platform = reference(0, { source: 'platform' });
    scopes.hold(platform).opened(platform);
    scopes.outdate();
    expect(reported()).toEqual([]);
  });

  it('includes the version that may be opened, until it is known which one was', () => {
    const scope = scopes.hold(reference(1));
    scopes.outdate();
    expect(reported()).toEqual([['ws_acme', 'anthropic', 1, 1]]);
    scope.opened(reference(3));
    expect(reported()).toEqual([['ws_acme', 'anthropic', 3, 1]]);
  });

  it('drops a scope once, even if it is released twice', () => {
    const scope = scopes.hold(reference(1));
    scopes.hold(reference(1));
    scopes.outdate();
    scope.release();
    scope.release();
    expect(reported()).toEqual([['ws_acme', 'anthropic', 1, 1]]);
  });

  it('keeps a scope that began before an earlier one was released a second time', () => {
    const scope = scopes.hold(reference(1));
    scope.release();
    scopes.hold(reference(1));
    scope.release();
    scopes.outdate();
    expect(reported()).toEqual([['ws_acme', 'anthropic', 1, 1]]);
  });

  it('says that there are too many, and does not leave some out', () => {
    for (let index = 0; index < 200; index += 1) scopes.hold(reference(1, { name: `service-${index}` }));
    scopes.outdate();
    expect(scopes.outdated()).toHaveLength(200);
    scopes.hold(reference(2));
    scopes.outdate();
    expect(reported()).toBe('too-many');
  });
});

describe('the lease keeper hears', () => {
  let heard: number;
  beforeEach(() => {
    heard = 0;
    scopes.watch(() => {
      heard += 1;
    });
  });

  it('of an outdated scope that ends, once, or that turns out to hold a newer version', () => {
    const [first, second] = [scopes.hold(reference(1)), scopes.hold(reference(1))];
    scopes.outdate();
    second.opened(reference(1));
    expect(heard).toBe(0);
    second.opened(reference(2));
    first.release();
    first.release();
    expect(heard).toBe(2);
  });

  it('nothing of scopes that are not outdated', () => {
    const scope = scopes.hold(reference(1));
    scope.opened(reference(2));
    scope.release();
    expect(heard).toBe(0);
  });
});
