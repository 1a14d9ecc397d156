/** Schemas of others: whatever they are, the event loop stays free, and the comparison ends. */
import { describe, expect, test } from 'vitest';
import { compareWithSchema, type JsonSchema } from '../../src/activities/schema-check.js';

const NEVER = new AbortController().signal;
/** Leases are renewed and heartbeats sent far less often. A loaded machine delays a timer by less. */
const LONGEST_STILLNESS_MS = 400;

/** Runs, and returns the longest time in which the event loop did nothing else. */
async function stillnessDuring(run: () => Promise<unknown>): Promise<number> {
  let lastMs = performance.now();
  let longestMs = 0;
  const beat = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - lastMs);
    lastMs = performance.now();
  }, 10);
  try {
    await run();
  } finally {
    clearInterval(beat);
  }
  return Math.max(longestMs, performance.now() - lastMs);
}

const verdictOf = (schema: unknown, value?: unknown, workspaceId = 'ws_acme') =>
  compareWithSchema(workspaceId, schema as JsonSchema, value === undefined ? undefined : { value }, NEVER);

const AS = `${'a'.repeat(40)}!`;
const property = (schema: object) => ({ type: 'object', properties: { a: schema } });

/** `$defs` in which each refers to the one before it several times. */
function laughs(keyword: string, levels: number) {
  const $defs: Record<string, object> = { d0: { type: 'string' } };
  for (let level = 1; level <= levels; level += 1) {
    const $ref = `#/$defs/d${level - 1}`;
    $defs[`d${level}`] = { [keyword]: [{ $ref }, { $ref }, { $ref }] };
  }
  return { $defs, $ref: `#/$defs/d${levels}` };
}

function nest(depth: number): unknown {
  let value: unknown = 'end';
  for (let level = 0; level < depth; level += 1) value = { next: value };
  return value;
}

const HOSTILE: readonly (readonly [string, unknown, unknown])[] = [
  ['a nested quantifier', property({ type: 'string', pattern: '^(a+)+$' }), { a: AS }],
  ['an alternation that overlaps', property({ type: 'string', pattern: '^(a|a)*$' }), { a: AS }],
  ['a back reference', property({ type: 'string', pattern: '^(a*)*\\1$' }), { a: AS }],
  ['a look-ahead', property({ type: 'string', pattern: '^(?=(a+)+$)a' }), { a: AS }],
  ['adjacent quantifiers', property({ type: 'string', pattern: `${'a*'.repeat(12)}b` }), { a: 'a'.repeat(400) }],
  ['a pattern for names', { type: 'object', patternProperties: { '^(a+)+$': { type: 'string' } } }, { [AS]: 'x' }],
  ['a rule for names', { type: 'object', propertyNames: { pattern: '^(a+)+$' } }, { [AS]: 'x' }],
  [
    'a union within a union of itself',
    {
      $defs: { n: { anyOf: [1, 2, 3].map(() => property({ $ref: '#/$defs/n' })).map(nextOnly) } },
      $ref: '#/$defs/n',
    },
    nest(40),
  ],
  ['references that triple: anyOf', laughs('anyOf', 24), 7],
  ['references that triple: oneOf', laughs('oneOf', 24), 'x'],
  ['references that triple: allOf', laughs('allOf', 24), 'x'],
];

function nextOnly() {
  return { type: 'object', properties: { next: { $ref: '#/$defs/n' } }, required: ['next'] };
}

describe('a hostile schema', () => {
  test.each(HOSTILE)('ends, and leaves the event loop free: %s [G23]', async (_, schema, value) => {
    let verdict: unknown;
    const startMs = performance.now();
    const stillMs = await stillnessDuring(async () => {
      verdict = await verdictOf(schema, value);
    });
    expect(['too-slow', 'does-not-fit', 'unreadable', 'fits']).toContain(verdict);
    expect(stillMs).toBeLessThan(LONGEST_STILLNESS_MS);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  test('is too slow for a limit of a second, and the thread after it works [G23]', async () => {
    expect(await verdictOf(HOSTILE[0]?.[1], HOSTILE[0]?.[2])).toBe('too-slow');
    expect(await verdictOf(property({ type: 'string' }), { a: 'x' })).toBe('fits');
  });

  test('of one workspace does not keep the others waiting [G23]', async () => {
    const many = Array.from({ length: 6 }, () => verdictOf(HOSTILE[0]?.[1], HOSTILE[0]?.[2], 'ws_hostile'));
    const startMs = performance.now();
    expect(await verdictOf({ type: 'string' }, 'x', 'ws_other')).toBe('fits');
    expect(performance.now() - startMs).toBeLessThan(2_500);
    expect(new Set(await Promise.all(many))).toEqual(new Set(['too-slow']));
  });

  test('that needs too much memory ends its thread, and not the process [G23]', async () => {
    const large = { type: 'object', patternProperties: Object.fromEntries(manyOf(20_000)) };
    expect(['too-slow', 'unreadable', 'does-not-fit', 'fits']).toContain(
      await verdictOf(large, Object.fromEntries(manyOf(2_000))),
    );
    expect(await verdictOf({ type: 'string' }, 'x')).toBe('fits');
  });
});

function manyOf(count: number): [string, object][] {
  return Array.from({ length: count }, (_, index) => [`n${index}`, { type: 'string' }]);
}

describe('a schema of good faith', () => {
  test.each([
    [{ type: 'string', pattern: '^[a-z]+$' }, 'abc', 'fits'],
    [{ type: 'string', pattern: '^[a-z]+$' }, 'ABC', 'does-not-fit'],
    [{ type: 'array', items: { type: 'number' } }, [1, 2], 'fits'],
    [{ type: 'array', items: { type: 'number' } }, ['1'], 'does-not-fit'],
    [property({ type: 'string' }), JSON.parse('{"__proto__":{"a":1}}'), 'fits'],
    [{ type: 'no such type' }, 'x', 'unreadable'],
    [{ type: 'string', pattern: '(' }, 'x', 'unreadable'],
  ])('decides as zod does: %j, %j: %s', async (schema, value, verdict) => {
    expect(await verdictOf(schema, value)).toBe(verdict);
  });

  test('can be read without an answer', async () => {
    expect(await verdictOf({ type: 'string' })).toBe('fits');
    expect(await verdictOf({ type: 'no such type' })).toBe('unreadable');
  });

  test('is not compared any more once its step was cancelled', async () => {
    const cancelled = AbortSignal.abort(new Error('cancelled'));
    await expect(compareWithSchema('ws_acme', { type: 'string' }, { value: 'x' }, cancelled)).rejects.toThrow(
      'cancelled',
    );
  });
});
