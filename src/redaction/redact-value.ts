/**
 * Redacts every string in a value that JSON or Node's `inspect` would show. A value without a secret is returned
 * itself. Otherwise a copy is returned, in which errors keep their class and objects of other classes become plain
 * objects. The given value never changes: clients share the objects that their errors contain.
 */
import { inspect } from 'node:util';
import { isBoxedPrimitive, isStringObject } from 'node:util/types';
import { redactBytes } from './redact-bytes.js';

export interface RedactValueOptions {
  /** The number of objects to search. Objects beyond it are left out of the copy. Default: 1,000,000. */
  readonly maxObjects?: number;
  /**
   * Whether a value without a secret is copied too. Getters and `toJSON` are then called once, so that nothing leaves
   * but what was searched. Default: false
   */
  readonly isCopied?: boolean;
}

export function redactValue<Value>(
  value: Value,
  redact: (text: string) => string,
  { maxObjects = 1_000_000, isCopied = false }: RedactValueOptions = {},
): Value {
  const copies = isCopied || new Search(redact, maxObjects).holds(value);
  return copies ? (new Copy(redact, maxObjects).of(value) as Value) : value;
}

type Key = string | symbol;

class Search {
  readonly #seen = new Set<object>();

  constructor(
    private readonly redact: (text: string) => string,
    private readonly maxObjects: number,
  ) {}

  holds(value: unknown): boolean {
    const text = textOf(value);
    if (text !== undefined) return this.redact(text) !== text;
    if (typeof value !== 'object' || value === null || this.#seen.has(value)) return false;
    this.#seen.add(value);
    if (this.#seen.size > this.maxObjects) return true;
    if (value instanceof Uint8Array) return redactBytes(value, this.redact) !== value;
    if (ArrayBuffer.isView(value)) return false;
    if (value instanceof Map || value instanceof Set) return this.holds([...value].flat());
    return (
      keysOf(value).some((key) => this.holds(key) || this.holds(read(value, key))) ||
      (hasToJson(value) && this.holds(jsonOf(value)))
    );
  }
}

class Copy {
  readonly #within = new Set<object>();
  #objects = 0;

  constructor(
    private readonly redact: (text: string) => string,
    private readonly maxObjects: number,
  ) {}

  of(value: unknown): unknown {
    const text = textOf(value);
    if (text !== undefined) return this.redact(text);
    if (typeof value !== 'object' || value === null) return value;
    if (isBoxedPrimitive(value)) return this.of(value.valueOf());
    if (this.#within.has(value)) return '[circular]';
    this.#objects += 1;
    if (this.#objects > this.maxObjects) return '[not searched]';
    this.#within.add(value);
    try {
      return this.#object(value);
    } finally {
      this.#within.delete(value);
    }
  }

  #object(value: object): unknown {
    if (value instanceof Uint8Array) return Buffer.from(redactBytes(value, this.redact));
    if (ArrayBuffer.isView(value)) return value;
    if (Array.isArray(value)) return value.map((each) => this.of(each));
    if (value instanceof Map) return new Map([...value].map(([key, each]) => [this.of(key), this.of(each)]));
    if (value instanceof Set) return new Set([...value].map((each) => this.of(each)));
    if (value instanceof Error) return this.#error(value);
    if (hasToJson(value)) return this.of(jsonOf(value));
    const entries = keysOf(value).map((key) => [this.of(key), this.of(read(value, key))]);
    return Object.fromEntries(entries);
  }

  /** Keeps the class, so that code which matches on it still works. */
  #error(error: Error): Error {
    const copy: Error = Object.create(Object.getPrototypeOf(error));
    for (const key of keysOf(error)) {
      const { enumerable = false } = Object.getOwnPropertyDescriptor(error, key) ?? {};
      const value = this.of(read(error, key));
      if (value === read(copy, key)) continue;
      Object.defineProperty(copy, key, { value, enumerable, configurable: true, writable: true });
    }
    return copy;
  }
}

/** The text of a value that is shown as one text. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'symbol') return value.toString();
  // Properties of a function are shown too.
  if (typeof value === 'function') return inspected(value);
  if (typeof value !== 'object' || value === null || value instanceof Error || hasToJson(value)) return undefined;
  if (isStringObject(value)) return String.prototype.valueOf.call(value);
  return typeof read(value, inspect.custom) === 'function' && !ArrayBuffer.isView(value) ? inspected(value) : undefined;
}

function inspected(value: unknown): string {
  try {
    return inspect(value);
  } catch {
    return '[not searched]';
  }
}

/** The enumerable keys; for an error all keys, because its message and its stack are not enumerable. */
function keysOf(value: object): Key[] {
  if (value instanceof Error)
    return [...new Set<Key>([...Reflect.ownKeys(value), 'name', 'message', 'stack', 'cause'])];
  return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
}

function read(value: object, key: Key): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return typeof read(value, 'toJSON') === 'function';
}

function jsonOf(value: { toJSON(): unknown }): unknown {
  try {
    return value.toJSON();
  } catch {
    return undefined;
  }
}
