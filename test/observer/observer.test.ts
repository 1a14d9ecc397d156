/** What listeners hear, and what they cannot do to the work that they hear of. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import type { EndedWork, Happening } from '../../src/observer/observed.js';
import { Observer } from '../../src/observer/observer.js';
import { ProviderError } from '../../src/protocol/errors.js';

const BEGUN = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' };
const FOUND = { ...BEGUN, version: 3, source: 'workspace', cache: 'miss' } as const;
const LOST: Happening = { what: 'lease-lost' };

function heard() {
  const observer = new Observer();
  const ends: EndedWork[] = [];
  const happenings: Happening[] = [];
  const stop = observer.listen({ ends: (work) => ends.push(work), happened: (each) => happenings.push(each) });
  return { observer, ends, happenings, stop };
}

const fail = () => {
  throw new Error('a listener failed');
};

const runThenFail = (run: () => unknown): never => {
  run();
  return fail();
};

const runTwice = <Result>(run: () => Result): Result => {
  run();
  return run();
};

describe('a listener', () => {
  test('hears the end of work: its result, its duration, or the type of its failure', async () => {
    const { observer, ends } = heard();
    const refused = new ProviderError('ProviderDisabled', 'it is disabled');
    const aborted = new DOMException('the caller has gone', 'AbortError');
    await observer.during(
      'resolve',
      BEGUN,
      async () => 7,
      () => FOUND,
    );
    for (const error of [refused, aborted, new Error('sk-ant-key of a client library')]) {
      await expect(
        observer.during(
          'resolve',
          BEGUN,
          () => Promise.reject(error),
          () => FOUND,
        ),
      ).rejects.toBe(error);
    }
    expect(ends).toMatchObject([
      { work: 'resolve', begun: BEGUN, ended: FOUND, tookMs: expect.any(Number) },
      { failure: 'ProviderDisabled' },
      { failure: 'aborted' },
      { failure: 'failed' },
    ]);
    expect(JSON.stringify(ends)).not.toContain('sk-ant');
  });

  test('hears nothing after it was ended', () => {
    const { observer, happenings, stop } = heard();
    observer.report(LOST);
    stop();
    observer.report(LOST);
    expect(happenings).toEqual([LOST]);
  });

  test('gives work its own context, inside those of the listeners before it', async () => {
    const observer = new Observer();
    const context = new AsyncLocalStorage<string>();
    for (const name of ['outer', 'inner']) {
      observer.listen({ begins: () => ({ within: (run) => context.run(`${context.getStore() ?? ''}${name} `, run) }) });
    }
    const seen = await observer.during(
      'statement',
      { statement: 'x' },
      async () => context.getStore(),
      () => ({}),
    );
    expect(seen).toBe('outer inner ');
  });

  test.each([
    ['when it hears of a begin', { begins: fail }],
    ['when it hears of an end', { ends: fail }],
    ['when it hears of what happened', { happened: fail }],
    ['before it runs the work', { begins: () => ({ within: fail }) }],
    ['after it has run the work', { begins: () => ({ within: runThenFail }) }],
    ['because it runs the work twice', { begins: () => ({ within: runTwice }) }],
  ])('that fails %s changes nothing: the work runs once, and others hear of it', async (_, failing) => {
    const { observer, ends, happenings } = heard();
    observer.listen(failing);
    let runs = 0;
    const run = async () => {
      runs += 1;
      return 'done';
    };
    observer.report(LOST);
    expect(await observer.during('statement', { statement: 'x' }, run, () => ({}))).toBe('done');
    expect({ runs, ends: ends.length, happenings }).toEqual({ runs: 1, ends: 1, happenings: [LOST] });
  });
});

test('work without a listener is not wrapped: the promise is that of the work', () => {
  const promise = Promise.resolve(1);
  const { observer, stop } = heard();
  stop();
  for (const each of [new Observer(), Observer.none, observer]) {
    expect(
      each.during(
        'statement',
        { statement: 'x' },
        () => promise,
        () => ({}),
      ),
    ).toBe(promise);
  }
});
