/** A redactor removes every form of a known secret, and returns a text without one unchanged. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/redaction/redactor.js';
import { leaksIn } from '../../testbed/secret-search.js';

const ENCODERS: Record<string, (text: string) => string> = {
  'as it is': (text) => text,
  'URL-encoded': (text) => encodeURIComponent(text),
  'URL-encoded in lower case': (text) => encodeURIComponent(text).replace(/%../g, (octet) => octet.toLowerCase()),
  'as a form field': (text) => new URLSearchParams({ field: text }).toString(),
  'JSON-escaped': (text) => JSON.stringify({ field: text }),
  'in hex': (text) => Buffer.from(text).toString('hex'),
  'in upper-case hex': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'in base64': (text) => Buffer.from(text).toString('base64'),
  'in base64url': (text) => Buffer.from(text).toString('base64url'),
};

const wellFormed = (text: string) => Buffer.from(text).toString();
const secrets = fc
  .oneof(fc.string({ minLength: 8, maxLength: 90 }), fc.string({ unit: 'binary', minLength: 8, maxLength: 60 }))
  .map(wellFormed);
const surroundings = fc.string({ maxLength: 30, unit: 'binary' }).map(wellFormed);

function redactorOf(...values: string[]): Redactor {
  const redactor = new Redactor();
  for (const value of values) redactor.add(value);
  return redactor;
}

describe('a redactor', () => {
  it.each(Object.entries(ENCODERS))('removes a secret %s, anywhere in a text [G7]', (_, encode) => {
    fc.assert(
      fc.property(secrets, surroundings, surroundings, (secret, before, after) => {
        const redactor = redactorOf(secret);
        // The surrounding text is either encoded together with the secret or not encoded.
        for (const text of [before + encode(secret) + after, encode(before + secret + after)]) {
          const redacted = redactor.redact(text);
          expect(redacted).toContain('[redacted]');
          const kept = redacted.replaceAll('[redacted]', '\n');
          expect(leaksIn(kept, [secret])).toEqual([]);
          expect(redactor.redact(kept)).toBe(kept);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('leaves nothing that decodes to more than the text around a secret', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 40, unit: fc.constantFrom(...'ABCDwxyz0189_-') }),
        fc.nat({ max: 5 }),
        fc.nat({ max: 5 }),
        (secret, before, after) => {
          const text = Buffer.from(`${'.'.repeat(before)}${secret}${'.'.repeat(after)}`).toString('base64');
          const [left = '', right = ''] = redactorOf(secret).redact(text).split('[redacted]');
          expect(Buffer.from(left, 'base64').toString()).toMatch(/^\.*$/);
          const whole = text.length - right.length;
          expect(Buffer.from(`${'A'.repeat(whole)}${right}`, 'base64').toString()).toMatch(/^\0*.?\.*$/su);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('returns a text without a secret unchanged', () => {
    fc.assert(
      fc.property(fc.array(secrets, { maxLength: 5 }), fc.string({ maxLength: 200, unit: 'binary' }), (known, text) => {
        const holds = known.some((secret) => Object.values(ENCODERS).some((encode) => text.includes(encode(secret))));
        fc.pre(!holds && !/[\w+/-]{10}/.test(text));
        expect(redactorOf(...known).redact(text)).toBe(text);
      }),
    );
  });

  it('finds a key within Basic credentials and within encoded JSON', () => {
    const secret = 'canary-key-in-the-middle';
    const redactor = redactorOf(secret);
    for (const wrapped of [`user:${secret}`, JSON.stringify({ headers: { 'x-api-key': secret }, attempt: 1 })]) {
      const text = `Basic ${Buffer.from(wrapped).toString('base64')} was refused`;
      expect(redactor.redact(text)).toMatch(/^Basic \S+\[redacted\]\S* was refused$/);
    }
  });

  it('removes several secrets at once, even one inside another, and keeps the rest of the text', () => {
    const redactor = redactorOf('canary-inner', 'before-canary-inner-after', 'canary-other');
    expect(redactor.redact('a canary-other, b before-canary-inner-after, c canary-inner.')).toBe(
      'a [redacted], b [redacted], c [redacted].',
    );
    expect(redactorOf('canary-one', 'one-canary').redact('<canary-one-canary>')).toBe('<[redacted]>');
  });

  it('removes each secret part of a URL on its own', () => {
    const key = 'canary0key0in0the0path';
    const redactor = redactorOf(
      `https://login-of-sixteen:canary%2Bpass@rpc.example/ethereum/${key}?token=canary-in-query-16`,
    );
    for (const part of [key, 'canary+pass', 'canary%2Bpass', 'canary-in-query-16', 'login-of-sixteen']) {
      expect(redactor.redact(`GET ${part} failed`)).toBe('GET [redacted] failed');
    }
    expect(redactor.redact('ethereum at rpc.example')).toBe('ethereum at rpc.example');
  });

  it('ignores values shorter than 8 characters', () => {
    expect(redactorOf('1234567').redact('1234567 and 31323334353637')).toBe('1234567 and 31323334353637');
    expect(redactorOf('12345678').redact('12345678')).toBe('[redacted]');
  });
});

describe('the memory of a redactor', () => {
  it('is bounded: it drops the secret that was seen least recently, and never one of the process itself', () => {
    const redactor = new Redactor({ maxSecrets: 2 });
    redactor.add('canary-of-the-process', { lasting: true });
    for (const secret of ['canary-first', 'canary-second', 'canary-first', 'canary-third']) redactor.add(secret);
    const text = 'canary-of-the-process canary-first canary-second canary-third';
    expect(redactor.redact(text)).toBe('[redacted] [redacted] canary-second [redacted]');
  });

  it('is bounded in characters too', () => {
    const redactor = new Redactor({ maxCharacters: 3_000 });
    for (let n = 0; n < 50; n += 1) redactor.add(`canary-number-${n}`);
    expect(redactor.redact('canary-number-0')).toBe('canary-number-0');
    expect(redactor.redact('canary-number-49')).toBe('[redacted]');
  });

  it('finds each of a thousand secrets that begin and end alike', () => {
    const values = Array.from({ length: 1_000 }, (_, n) => `canary-api03-${n.toString(36).padStart(8, 'x')}-the-end`);
    const redactor = redactorOf(...values);
    expect(redactor.redact(values.join(' '))).toBe(values.map(() => '[redacted]').join(' '));
  });
});
