/**
 * The secrets of a run, newly made for it, one per kind. Their first ten characters are random, because a parser's
 * error quotes that many. A key has characters that each encoding writes differently.
 */
import { randomBytes } from 'node:crypto';
import type { Canary } from './parts/forms.js';

/** A random text of the 62 characters that no text encoding changes. */
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

  /** A secret with characters that encodings change. */
  key(kind: string): string {
    return this.#plant(kind, key());
  }

  /** A secret for places where such characters would have another meaning. */
  word(kind: string): string {
    return this.#plant(kind, word(32));
  }

  /** The shortest secret that is accepted. It is too weak to be looked for in the texts of other workspaces. */
  weak(kind: string): string {
    return this.#plant(kind, word(16));
  }

  /** A key of 256 bits, as a setting contains it. The search also looks for its bytes. */
  keyInBase64(kind: string): string {
    const bytes = this.bytes(`${kind}, its bytes`, randomBytes(32));
    return this.#plant(kind, Buffer.from(bytes).toString('base64'));
  }

  bytes(kind: string, bytes: Uint8Array): Uint8Array {
    return this.#plant(kind, bytes);
  }

  /** Registers a secret that was made elsewhere. */
  known(kind: string, value: string): string {
    return this.#plant(kind, value);
  }

  /** A secret for a deliberate leak, which shows that the search finds leaks in this surface. */
  control(surface: string): string {
    const value = key();
    this.#all.push({ kind: `control of ${surface}`, value, control: surface });
    return value;
  }
}
