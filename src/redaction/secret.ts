import { inspect } from 'node:util';
import { rememberSecret } from './opened-secrets.js';
import { REDACTED } from './redactor.js';

/**
 * Of what structured cloning refuses (functions, proxies, weak collections) the one that shows nothing and does nothing;
 * a plain object would come out as an empty one, and somebody would work with that.
 */
const Uncloneable = WeakSet as unknown as new () => object;

/**
 * A value that prints as `[redacted]` wherever Node prints (string, template, JSON, inspect) and must be revealed by
 * name. `structuredClone`, `postMessage` and `v8.serialize` refuse it.
 *
 * `JSON.stringify` gives `"[redacted]"` and does not throw: loggers write JSON, and a throw would end a step, or a
 * process, in the middle of reporting something else. What must not happen is that a payload carries the word in place of
 * a key: the plugin's interceptor refuses a result and a heartbeat that hold a `Secret`.
 *
 * From its making on, its value is redacted wherever this process redacts (`redact`).
 */
export class Secret extends Uncloneable {
  readonly #value: string;

  constructor(value: string) {
    super();
    this.#value = value;
    rememberSecret(value);
  }

  /** The value in the clear. Call it as late as possible, and keep the result nowhere. */
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

/** `…a1b2`: the last four characters of a secret that is long enough to spare them, else `…`. */
export function mask(value: string): string {
  return value.length >= 12 ? `…${value.slice(-4)}` : '…';
}

/** Whether a value is what `mask`, a `Secret` or a form shows in place of one: such a value is never stored. */
export function isMasked(value: string): boolean {
  return value.startsWith('…') || value === REDACTED || /^[*•]+$/.test(value);
}
