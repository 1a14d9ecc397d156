/**
 * The secrets of a run, made for it: of each kind one. Their first ten characters are random, since a parser's error
 * quotes so many; a key has characters that each encoding writes in its own way.
 */
import { randomBytes } from 'node:crypto';
import type { Canary } from './parts/forms.js';

/** The sixty-two that no encoding of text changes. */
function word(length: number): string {
  let text = '';
  while (text.length < length) text += randomBytes(length).toString('base64').replace(/[+/=]/g, '');
  return text.slice(0, length);
}

const key = () => `${word(14)}+/"=&${word(18)}`;

export class Canaries {
  readonly #all: Canary[] = [];

  get all(): readonly Canary[] {
    return this.#all;
  }

  #plant<Value extends string | Uint8Array>(kind: string, value: Value): Value {
    this.#all.push({ kind, value });
    return value;
  }

  /** A text with characters that encodings change. */
  key(kind: string): string {
    return this.#plant(kind, key());
  }

  /** For where those would have another meaning. */
  word(kind: string): string {
    return this.#plant(kind, word(32));
  }

  /** Of 256 bits: the text that a setting holds; its bytes are looked for too. */
  keyInBase64(kind: string): string {
    const bytes = this.bytes(`${kind}, its bytes`, randomBytes(32));
    return this.#plant(kind, Buffer.from(bytes).toString('base64'));
  }

  bytes(kind: string, bytes: Uint8Array): Uint8Array {
    return this.#plant(kind, bytes);
  }

  /** What was made elsewhere. */
  known(kind: string, value: string): string {
    return this.#plant(kind, value);
  }

  /** For a deliberate leak, which shows that the search of this surface finds one. */
  control(surface: string): string {
    const value = key();
    this.#all.push({ kind: `control of ${surface}`, value, control: surface });
    return value;
  }
}
