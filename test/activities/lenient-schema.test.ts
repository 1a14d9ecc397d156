/** An answer that JSON Schema allows is taken, and one that it does not allow is not. */
import { describe, expect, test } from 'vitest';
import { compareWithSchema, type JsonSchema } from '../../src/activities/schema-check.js';

const verdictOf = (schema: object, a: unknown) => {
  const whole = { type: 'object', properties: { a: schema }, required: ['a'] };
  return compareWithSchema('ws_acme', whole as JsonSchema, { value: { a } }, new AbortController().signal);
};
const text = (more: object) => ({ type: 'string', ...more });

describe('an answer', () => {
  test.each<[string, object, unknown]>([
    ['a UUID of no version', text({ format: 'uuid' }), '00000000-0000-0000-0000-000000000001'],
    ['a UUID of version 8, in capitals', text({ format: 'uuid' }), 'FFFFFFFF-FFFF-8FFF-FFFF-FFFFFFFFFFFF'],
    ['a date-time in lower case', text({ format: 'date-time' }), '2026-11-29t10:00:00.5z'],
    ['a date-time with an offset', text({ format: 'date-time' }), '2026-11-29T10:00:00+02:00'],
    ['a time with an offset', text({ format: 'time' }), '10:00:00+02:00'],
    ['an address with characters of another script', text({ format: 'email' }), 'jürgen@exämple.de'],
    ['an address of a host without a dot', text({ format: 'email' }), 'root@localhost'],
    ['a URN', text({ format: 'uri' }), 'urn:isbn:0451450523'],
    ['a relative reference', text({ format: 'uri-reference' }), '../a?b#c'],
    ['four emojis, which are four characters', text({ maxLength: 4 }), '😀😀😀😀'],
    ['a text of exactly as many characters', text({ minLength: 2, maxLength: 2 }), 'é😀'],
    ['a whole number above 2^53', { type: 'integer' }, 2 ** 60],
    ['a format and a pattern', text({ format: 'uuid', pattern: '^0' }), '00000000-0000-0000-0000-000000000001'],
    ['an item of a list', { type: 'array', items: text({ format: 'uuid' }) }, ['00000000-0000-0000-0000-000000000001']],
    [
      'one of several',
      { anyOf: [{ type: 'number' }, text({ format: 'uuid' })] },
      '00000000-0000-0000-0000-000000000001',
    ],
    ['a field whose name is format', { type: 'object', properties: { format: text({}) } }, { format: 'uuid' }],
    ['a text beside a default that looks like a schema', { default: { type: 'string', format: 'uuid' } }, 'x'],
    ['an unknown format', text({ format: 'iso-country' }), 'de'],
  ])('may be %s', async (_what, schema, value) => {
    expect(await verdictOf(schema, value)).toBe('fits');
  });

  test.each<[string, object, unknown]>([
    ['no UUID', text({ format: 'uuid' }), 'not-a-uuid'],
    ['no date-time', text({ format: 'date-time' }), 'tomorrow'],
    ['no time', text({ format: 'time' }), 'noon'],
    ['no address', text({ format: 'email' }), 'nobody'],
    ['no URI', text({ format: 'uri' }), '../relative'],
    ['no IPv4 address', text({ format: 'ipv4' }), '300.1.1.1'],
    ['five emojis', text({ maxLength: 4 }), '😀😀😀😀😀'],
    ['too short', text({ minLength: 3 }), 'ab'],
    ['half a number', { type: 'integer' }, 1.5],
    ['a whole number of the wrong multiple', { type: 'integer', multipleOf: 5 }, 7],
    ['a fraction that is a multiple of one', { type: 'integer', multipleOf: 0.5 }, 1.5],
    [
      'of the format, and not of the pattern',
      text({ format: 'uuid', pattern: '^1' }),
      '00000000-0000-0000-0000-000000000001',
    ],
    ['a number where a text is asked for', text({ format: 'uuid' }), 7],
  ])('may not be %s', async (_what, schema, value) => {
    expect(await verdictOf(schema, value)).toBe('does-not-fit');
  });
});
