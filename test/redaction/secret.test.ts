import { deepStrictEqual as deepEqual } from 'node:assert';
import { Console } from 'node:console';
import querystring from 'node:querystring';
import { Writable } from 'node:stream';
import { format, inspect } from 'node:util';
import v8 from 'node:v8';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { redact } from '../../src/redaction/opened-secrets.js';
import { isMasked, mask, Secret } from '../../src/redaction/secret.js';

const CANARY = 'canary-9f3c-the-secret';
const secret = new Secret(CANARY);

describe('a Secret', () => {
  it.each<[string, () => unknown]>([
    ['String()', () => String(secret)],
    ['a template', () => `${secret}`],
    ['concatenation', () => 'key: '.concat(secret as unknown as string)],
    ['JSON', () => JSON.stringify({ secret })],
    ['inspect', () => inspect({ secret }, { depth: 9, showHidden: true, getters: true })],
    ['console.log, which formats', () => format('%s %o %O %j', secret, secret, secret, secret)],
    ['an error message', () => inspect(new Error(`failed with ${secret}`, { cause: secret }))],
    ['Object.entries', () => inspect(Object.entries(secret))],
    ['a spread', () => inspect({ ...secret })],
    [
      'inspect without its custom inspect function',
      () => inspect(secret, { customInspect: false, showHidden: true, showProxy: true }),
    ],
    [
      'console.table and console.dir',
      () => consoleOf((console) => [console.table([{ secret }]), console.dir({ secret })]),
    ],
    ['console.error of an error', () => consoleOf((console) => console.error(new Error('no', { cause: { secret } })))],
    ['an assertion that fails', () => assertionOf(() => deepEqual({ secret }, { secret: 'another value' }))],
    ['its own keys', () => inspect(Reflect.ownKeys(secret).map((key) => Reflect.get(secret, key)))],
    [
      'a query and a form',
      () => `${new URLSearchParams({ key: `${secret}` })}${querystring.stringify({ secret: `${secret}` })}`,
    ],
  ])('prints nothing of its value through %s [G5]', (_how, print) => {
    expect(print()).not.toContain(CANARY);
  });

  it('prints [redacted]', () => {
    expect(`${secret}`).toBe('[redacted]');
    expect(JSON.stringify([secret])).toBe('["[redacted]"]');
    expect(inspect(secret)).toBe('[redacted]');
  });

  it.each<[string, (value: unknown) => unknown]>([
    ['structuredClone', (value) => structuredClone(value)],
    ['postMessage', (value) => new MessageChannel().port1.postMessage(value)],
    ['v8.serialize', (value) => v8.serialize(value)],
  ])('is refused by %s at any depth [G5]', (_, clone) => {
    for (const value of [secret, { deep: [secret] }, new Map([['key', secret]])]) expect(() => clone(value)).toThrow();
  });

  it('has no properties that could be listed', () => {
    expect(Object.entries(secret)).toEqual([]);
    expect(Reflect.ownKeys(secret)).toEqual([]);
    expect({ ...secret }).toEqual({});
  });

  it('is redacted as soon as it is created, wherever this process redacts', () => {
    new Secret('canary-just-opened');
    expect(redact('refused: canary-just-opened')).toBe('refused: [redacted]');
  });

  it('returns its value from reveal()', () => {
    expect(secret.reveal()).toBe(CANARY);
  });
});

/** What a console prints. */
function consoleOf(print: (console: Console) => unknown): string {
  let printed = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      printed += chunk;
      done();
    },
  });
  print(new Console(stream, stream));
  expect(printed).not.toBe('');
  return printed;
}

function assertionOf(compare: () => void): string {
  try {
    compare();
  } catch (error) {
    return inspect(error, { depth: 9, showHidden: true });
  }
  return expect.unreachable('the two are different');
}

describe('mask', () => {
  it.each([
    ['canary-llm-key-a1b2', '…a1b2'],
    ['twelve-chars', '…hars'],
    ['eleven-char', '…'],
    ['abcd', '…'],
    ['', '…'],
  ])('of %j is %j: the last four characters if the value is long enough [G5]', (value, masked) => {
    expect(mask(value)).toBe(masked);
  });

  it('is recognized if it comes back in place of a secret', () => {
    for (const shown of [mask('canary-llm-key-a1b2'), mask('short'), String(secret), '********', '••••••••']) {
      expect(isMasked(shown)).toBe(true);
    }
    for (const real of [CANARY, 'a*b', 'redacted', '']) expect(isMasked(real)).toBe(false);
  });
});
