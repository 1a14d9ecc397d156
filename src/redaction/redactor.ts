/**
 * Removes known secrets from texts. It searches for exact values and not for patterns: it finds only what was added. It
 * reads a text once, whatever the number of secrets. Each form of a secret is indexed by eight of its characters, and a
 * table of counts rules out nearly every position of a text at which none of these eight characters begin.
 */
import { LRUCache } from 'lru-cache';
import { isStrong, isUnguessable } from './guessable.js';
import { MIN_SECRET_LENGTH, secretParts, type WrittenForm, writtenForms } from './written-forms.js';

export const REDACTED = '[redacted]';

const WINDOW = MIN_SECRET_LENGTH;
const FILTER_BITS = 18;
const BASE64 = /[\w+/-]/;

/** A form, and the position in it at which its indexed characters begin. */
interface IndexedForm extends WrittenForm {
  readonly at: number;
  readonly of: Findable;
}

/** In whose texts a secret, or a part of one, is looked for. */
interface Findable {
  readonly everywhere: boolean;
  readonly owners: ReadonlySet<string>;
}

interface RememberedSecret {
  readonly owners: Set<string>;
  readonly forms: readonly IndexedForm[];
}

export interface SecretOrigin {
  /** The workspace that the secret belongs to. Default: none */
  readonly owner?: string;
  /**
   * Whether the secret is never forgotten: for the few secrets of the process itself, which workspaces' secrets must not
   * push out. Default: false
   */
  readonly lasting?: boolean;
}

export interface RedactorOptions {
  /** The number of secrets to remember. The one whose last `add` is longest ago is forgotten first. Default: 10,000. */
  readonly maxSecrets?: number;
  /** The number of characters in all their forms together. A key of 50 characters has about 500. Default: 16 Mi. */
  readonly maxCharacters?: number;
}

export class Redactor {
  readonly #byWindow = new Map<string, IndexedForm[]>();
  /** The number of indexed windows per hash. */
  readonly #filter = new Uint16Array(1 << FILTER_BITS);
  readonly #passing: LRUCache<string, RememberedSecret>;
  readonly #lasting = new Set<string>();

  constructor({ maxSecrets = 10_000, maxCharacters = 16 * 1024 * 1024 }: RedactorOptions = {}) {
    this.#passing = new LRUCache({
      max: maxSecrets,
      maxSize: maxCharacters,
      sizeCalculation: ({ forms }) => forms.reduce((sum, { text }) => sum + text.length, 1),
      dispose: ({ forms }) => {
        for (const form of forms) this.#unindex(form);
      },
    });
  }

  /** Adds a secret. Values shorter than 8 characters are ignored. */
  add(secret: string, { owner, lasting = false }: SecretOrigin = {}): void {
    if (this.#lasting.has(secret)) return;
    const known = lasting ? undefined : this.#passing.get(secret);
    const owners = known?.owners ?? new Set<string>();
    if (owner !== undefined) owners.add(owner);
    if (known) return;
    const forms = secretParts(secret).flatMap((part) => {
      const of = { everywhere: lasting ? isStrong(secret) : isUnguessable(part), owners };
      return writtenForms(part).map((form) => this.#index(form, of));
    });
    if (lasting) this.#lasting.add(secret);
    else this.#passing.set(secret, { owners, forms });
  }

  /**
   * Returns the text with `[redacted]` in place of each known secret.
   *
   * @param workspaceIds - whose text it is: secrets of others are then looked for only if nobody can guess them, or meet
   *   them by chance. Default: every secret is looked for
   */
  redact(text: string, workspaceIds?: ReadonlySet<string>): string {
    const found = this.#find(text, workspaceIds);
    if (found.length === 0) return text;
    let result = '';
    let end = 0;
    for (const [from, to] of found.sort(([a], [b]) => a - b)) {
      // Forms overlap: a key is part of its URL.
      if (from >= end) result += text.slice(end, from) + REDACTED;
      end = Math.max(end, to);
    }
    return result + text.slice(end);
  }

  #find(text: string, workspaceIds: ReadonlySet<string> | undefined): [from: number, to: number][] {
    const found: [number, number][] = [];
    let hash = 0;
    for (let last = 0; last < text.length; last += 1) {
      hash = roll(hash, text.charCodeAt(last));
      if (this.#filter[slot(hash)] === 0 || last < WINDOW - 1) continue;
      const window = last + 1 - WINDOW;
      for (const indexed of this.#byWindow.get(text.slice(window, last + 1)) ?? []) {
        const { text: form, at, of, sharesBefore, sharesAfter } = indexed;
        const from = window - at;
        if (from < 0 || !text.startsWith(form, from) || !isLookedFor(of, workspaceIds)) continue;
        const to = from + form.length;
        const shared = (at: number) => BASE64.test(text.charAt(at));
        found.push([sharesBefore && shared(from - 1) ? from - 1 : from, sharesAfter && shared(to) ? to + 1 : to]);
      }
    }
    return found;
  }

  /** Keys of one service begin alike, and its URLs end alike. So this takes the least common of three positions. */
  #index(form: WrittenForm, of: Findable): IndexedForm {
    let at = form.text.length - WINDOW;
    let fewest = this.#crowd(form, at);
    for (const place of fewest > 0 ? [at >> 1, 0] : []) {
      const crowd = this.#crowd(form, place);
      if (crowd < fewest) [at, fewest] = [place, crowd];
    }
    const indexed = { ...form, at, of };
    const window = windowOf(form.text, at);
    const others = this.#byWindow.get(window);
    if (others) others.push(indexed);
    else {
      this.#byWindow.set(window, [indexed]);
      this.#count(window, 1);
    }
    return indexed;
  }

  #crowd({ text }: WrittenForm, at: number): number {
    return this.#byWindow.get(windowOf(text, at))?.length ?? 0;
  }

  #unindex(form: IndexedForm): void {
    const window = windowOf(form.text, form.at);
    const others = this.#byWindow.get(window)?.filter((each) => each !== form) ?? [];
    if (others.length > 0) this.#byWindow.set(window, others);
    else if (this.#byWindow.delete(window)) this.#count(window, -1);
  }

  #count(window: string, by: 1 | -1): void {
    let hash = 0;
    for (let at = 0; at < WINDOW; at += 1) hash = roll(hash, window.charCodeAt(at));
    (this.#filter[slot(hash)] as number) += by;
  }
}

function isLookedFor({ everywhere, owners }: Findable, workspaceIds: ReadonlySet<string> | undefined): boolean {
  if (everywhere || workspaceIds === undefined) return true;
  for (const workspaceId of workspaceIds) if (owners.has(workspaceId)) return true;
  return false;
}

/** The hash depends only on the last eight characters: it has 32 bits, and each step shifts them by four. */
function roll(hash: number, code: number): number {
  return ((hash << 4) + code) | 0;
}

function slot(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> (32 - FILTER_BITS);
}

function windowOf(text: string, at: number): string {
  return text.slice(at, at + WINDOW);
}
