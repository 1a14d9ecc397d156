import { inspect } from 'node:util';
import { rememberSecret } from './opened-secrets.js';
import { REDACTED } from './redactor.js';

/**
 * A class whose objects cannot be cloned. Structured cloning refuses functions, proxies and weak collections. Of these,
 * a weak set shows nothing and does nothing. A plain object would arrive as an empty one, and its receiver would work
 * with that.
 */
const Uncloneable = WeakSet as unknown as new () => object;

/**
 * A value that prints as `[redacted]` in strings, templates, JSON and `inspect`. Only `reveal()` returns it.
 * `structuredClone`, `postMessage` and `v8.serialize` refuse it.
 *
 * `JSON.stringify` returns `"[redacted]"` and does not throw: loggers write JSON, and an error would end a step or a
 * process while it reports something else. But no payload may contain that word in place of a key, so the plugin's
 * interceptor refuses results and heartbeats that contain a `Secret`.
 *
 * As soon as a `Secret` exists, `redact` removes its value from texts, in the whole process.
 */
export class Secret extends Uncloneable {
  readonly #value: string;

  constructor(value: string) {
    super();
    this.#value = value;
    rememberSecret(value);
  }

  /** Returns the plaintext value. Call this as late as possible, and do not store the result. */
  reveal(): string {
    return this.#value;
  }

  override toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.toPrimitive](): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Masks a secret: returns its last four characters, as `…a1b2`, or only `…` if it is shorter than 12 characters. */
export function mask(value: string): string {
  return value.length >= 12 ? `…${value.slice(-4)}` : '…';
}

/** Whether a value is a mask, as `mask`, a `Secret` or a form shows it in place of a secret. A mask is never stored. */
export function isMasked(value: string): boolean {
  return value.startsWith('…') || value === REDACTED || /^[*•]+$/.test(value);
}
