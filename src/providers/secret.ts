import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A value that prints as `[redacted]` wherever Node prints (string, template, JSON, inspect) and must be revealed by
 * name. It refuses `structuredClone`, so it cannot cross into another thread or a payload by accident.
 */
export class Secret {
  readonly #value: string;
  /** A function: whatever clones structures throws on it. */
  readonly unclonable = (): never => {
    throw new TypeError('a Secret is not cloned');
  };

  constructor(value: string) {
    this.#value = value;
  }

  /** The value in the clear. Call it as late as possible, and keep the result nowhere. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
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
