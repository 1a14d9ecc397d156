/** A value without a secret is returned as the same object. A value with a secret is copied, not changed. */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactValue } from '../../src/redaction/redact-value.js';
import { Redactor } from '../../src/redaction/redactor.js';

const CANARY = 'canary-of-a-value';
const redactor = new Redactor();
redactor.add(CANARY);
const redacted = <Value>(value: Value, maxObjects?: number) =>
  redactValue(value, (text) => redactor.redact(text), maxObjects === undefined ? {} : { maxObjects });

describe('redactValue', () => {
  it('returns the same object if nothing was found', () => {
    fc.assert(
      fc.property(fc.object({ withDate: true, withMap: true, withSet: true }), (value) => {
        expect(redacted(value)).toBe(value);
      }),
    );
  });

  it('searches every string of a JSON value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.nat(), (json, where) => {
        const holes = [...json.matchAll(/(?<=[[:,])(null|true|false)/g)];
        const hole = holes[where % Math.max(1, holes.length)];
        const at = hole?.index ?? 0;
        const text = hole
          ? json.slice(0, at) + JSON.stringify(`<${CANARY}>`) + json.slice(at + hole[0].length)
          : `["${CANARY}"]`;
        const value = JSON.parse(text);
        const before = JSON.stringify(value);
        expect(JSON.stringify(redacted(value))).toBe(before.replace(CANARY, '[redacted]'));
        expect(JSON.stringify(value)).toBe(before);
      }),
    );
  });

  it.each<[string, unknown]>([
    ['names of fields', { [CANARY]: 1 }],
    ['a map and a set', new Map([[CANARY, new Set([CANARY])]])],
    ['bytes', Buffer.from(`<${CANARY}>`)],
    ['the result of toJSON', { toJSON: () => ({ key: CANARY }) }],
    ['a URL', new URL(`https://rpc.example/${CANARY}`)],
    [
      'an object of a class',
      new (class {
        field = { key: CANARY };
      })(),
    ],
    [
      'a getter',
      {
        get key() {
          return CANARY;
        },
      },
    ],
  ])('redacts %s', (_, value) => {
    const print = (each: unknown) => JSON.stringify(each) + inspect(each, { depth: 9 }) + bytesOf(each);
    expect(print(value)).toContain(CANARY);
    expect(print(redacted(value))).not.toContain(CANARY);
  });

  it('keeps the class of an error, and redacts its message, stack, causes and other properties', () => {
    class ServiceError extends Error {
      override readonly name = 'ServiceError';
      readonly request = { headers: { authorization: `Bearer ${CANARY}` } };
    }
    const cause = new AggregateError([new Error(CANARY)], `all of ${CANARY}`);
    const error = new ServiceError(`refused ${CANARY}`, { cause });
    const copy = redacted(error);
    expect(copy).toBeInstanceOf(ServiceError);
    expect(copy.message).toBe('refused [redacted]');
    expect(copy.cause).toBeInstanceOf(AggregateError);
    expect(inspect(copy, { depth: 9, showHidden: true })).not.toContain(CANARY);
    expect(inspect(error, { depth: 9 })).toContain(CANARY);
  });

  it('stops at circular references, at getters that throw, and after maxObjects objects', () => {
    const circle: Record<string, unknown> = { key: CANARY };
    circle.self = circle;
    expect(redacted(circle)).toEqual({ key: '[redacted]', self: '[circular]' });
    const throwing = {
      key: CANARY,
      get bad(): string {
        throw new Error(CANARY);
      },
    };
    expect(redacted(throwing)).toEqual({ key: '[redacted]', bad: undefined });
    expect(redacted({ a: { b: { c: CANARY } } }, 2)).toEqual({ a: { b: '[not searched]' } });
  });
});

function bytesOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : '';
}
