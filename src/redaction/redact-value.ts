/**
 * Redacts every string in a value that JSON or Node's `inspect` would show. A value without a secret is returned
 * itself. Otherwise a copy is returned, in which errors keep their class and objects of other classes become plain
 * objects. The given value never changes: clients share the objects that their errors contain.
 */

export interface RedactValueOptions {
  /** The number of objects to search. Objects beyond it are left out of the copy. Default: 1,000,000. */
  readonly maxObjects?: number;
}

export function redactValue<Value>(
  value: Value,
  redact: (text: string) => string,
  { maxObjects = 1_000_000 }: RedactValueOptions = {},
): Value {
  if (typeof value === 'string') return redact(value) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const holds = new Search(redact, maxObjects).holds(value);
  return holds ? (new Copy(redact, maxObjects).of(value) as Value) : value;
}

type Key = string | symbol;

class Search {
  readonly #seen = new Set<object>();

  constructor(
    private readonly redact: (text: string) => string,
    private readonly maxObjects: number,
  ) {}

  holds(value: unknown): boolean {
    if (typeof value === 'string') return this.redact(value) !== value;
    if (typeof value !== 'object' || value === null || this.#seen.has(value)) return false;
    this.#seen.add(value);
    if (this.#seen.size > this.maxObjects) return true;
    if (value instanceof Uint8Array) return this.holds(latin1(value));
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
    if (typeof value === 'string') return this.redact(value);
    if (typeof value !== 'object' || value === null) return value;
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
    if (value instanceof Uint8Array) return Buffer.from(this.redact(latin1(value)), 'latin1');
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

/** One character per byte, in both directions. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
