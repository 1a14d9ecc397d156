/**
 * Reads a document of keys from a text, a file or an address. A file or an address is read again if the last read is
 * some time ago. If that fails, the document that was read last stays in effect, so that a short outage of the publisher
 * stops no workflow, until it is too old: whoever can keep it away must not decide how long a revocation is unknown.
 */
import { open, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CHECK_LIMITS, createFetch, type Fetch, type HttpClient } from '../egress/http-client.js';
import { EgressPolicy } from '../egress/policy.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { fileProblem } from '../protocol/file-problem.js';
import { permissionProblem } from './key-set-permissions.js';

/** How long a change may go unnoticed, in milliseconds. */
const FRESH_MS = 10_000;
/** An unknown key may be newer than the document, but many unknown keys must not cause as many reads. */
const ASKED_AGAIN_MS = 1_000;
const FETCH_TIMEOUT_MS = 2_000;
const LONGEST_BYTES = 1024 * 1024;
/** How long a warning of the same problem is not repeated. */
const REPEATED_MS = 5 * 60_000;

/** An operator chose the address: it may be in any network, but its answer is bounded as every other one is. */
const ANY_ADDRESS = new EgressPolicy({ networks: ['loopback', '0.0.0.0/0', '::/0'], ports: 'any' });
let shared: HttpClient | undefined;

function client(): HttpClient {
  shared ??= createFetch({ egress: ANY_ADDRESS, limits: CHECK_LIMITS, maxResponseBytes: LONGEST_BYTES });
  return shared;
}

export interface KeySourceOptions {
  /** For tests. Default: the HTTP client, which may go to any address here. */
  readonly fetch?: Fetch;
  /** How long a document that cannot be read again stays in effect, in milliseconds. Default: 0, for ever. */
  readonly maxAgeMs?: number;
  /** Whether a file is refused that another user may change. Default: false. */
  readonly refusesOpenFiles?: boolean;
}

export class KeySource<Document> {
  #document: Document | undefined;
  #text: string | undefined;
  #problem: string | undefined;
  #warned: { readonly text: string; readonly atMs: number } | undefined;
  #read = { atMs: Number.NEGATIVE_INFINITY, at: '' };
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<Document> | undefined;
  readonly #watchers = new Set<() => void>();

  /**
   * @param where - the document itself, as JSON, or the path of a file, or an `https:` address
   * @param parse - throws a ProviderError if the text is not valid
   * @throws ProviderError `SetupInvalid` if `where` is the document itself and is not valid
   */
  constructor(
    private readonly where: string,
    private readonly setting: string,
    private readonly parse: (text: string) => Document,
    private readonly options: KeySourceOptions = {},
  ) {
    if (this.#isRead) return;
    this.#document = parse(where);
    this.#triedAtMs = Number.POSITIVE_INFINITY;
  }

  /** The document that was read last, whatever its age. */
  get latest(): Document | undefined {
    return this.#document;
  }

  /**
   * Returns the document, as the same object until it changes. If it cannot be read again, returns the last one.
   *
   * @throws ProviderError `SetupInvalid` or `KeyServiceUnavailable` if it was never read; `KeyServiceUnavailable` if the
   *   last one is too old
   */
  async current(): Promise<Document> {
    const document = this.#document;
    if (!document || performance.now() - this.#triedAtMs >= FRESH_MS) return this.#refresh();
    this.#refuseIfTooOld();
    return document;
  }

  /**
   * Reads again, at most once per second: for a key that the document does not have.
   *
   * @throws ProviderError `KeyServiceUnavailable` if it cannot be read, because a newer document may have the key;
   *   `SetupInvalid` if it was never read
   */
  async newer(): Promise<Document> {
    const known = this.#document;
    const waitMs = this.#triedAtMs + ASKED_AGAIN_MS - performance.now();
    if (known && waitMs === Number.POSITIVE_INFINITY) return known;
    if (waitMs > 0) await delay(waitMs);
    return this.#readOnce().catch((error: unknown) => {
      if (!known || !isProviderError(error)) throw error;
      throw new ProviderError('KeyServiceUnavailable', error.message, error.facts);
    });
  }

  /**
   * Reads every ten seconds, so that changes and problems are noticed also while nobody asks.
   *
   * @param changed - called when the document is another one
   * @returns what ends it
   */
  watch(changed: () => void): () => void {
    if (!this.#isRead) return () => {};
    const timer = setInterval(() => void this.#refresh().catch(() => {}), FRESH_MS).unref();
    this.#watchers.add(changed);
    return () => {
      clearInterval(timer);
      this.#watchers.delete(changed);
    };
  }

  /** How long ago the document was read, in milliseconds. `undefined` if it is the setting itself, or was never read. */
  get ageMs(): number | undefined {
    return this.#isRead && this.#document ? performance.now() - this.#read.atMs : undefined;
  }

  /** Whether there is a document that is not too old. */
  get isInEffect(): boolean {
    return this.#document !== undefined && !this.#isTooOld;
  }

  /** Whether the document is not the setting itself. */
  get #isRead(): boolean {
    return !this.where.startsWith('{');
  }

  async #refresh(): Promise<Document> {
    const document = this.#document;
    try {
      return await this.#readOnce();
    } catch (error) {
      if (!document || !isProviderError(error)) throw error;
      this.#problem = error.message;
      this.#warn();
      this.#refuseIfTooOld();
      return document;
    }
  }

  /** Concurrent callers share a read. */
  #readOnce(): Promise<Document> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#triedAtMs = performance.now();
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readNow(): Promise<Document> {
    const text = await this.#load();
    const document = text === this.#text && this.#document ? this.#document : this.parse(text);
    const isOther = document !== this.#document;
    this.#document = document;
    this.#text = text;
    this.#problem = undefined;
    this.#warned = undefined;
    this.#read = { atMs: performance.now(), at: new Date().toISOString() };
    if (isOther) for (const changed of this.#watchers) changed();
    return document;
  }

  get #isTooOld(): boolean {
    const { maxAgeMs = 0 } = this.options;
    return this.#problem !== undefined && maxAgeMs > 0 && performance.now() - this.#read.atMs > maxAgeMs;
  }

  #refuseIfTooOld(): void {
    if (!this.#isTooOld) return;
    const message =
      `${this.setting} could not be read since ${this.#read.at}, which is longer than ${this.setting}_MAX_AGE: ` +
      `${this.#problem}`;
    throw new ProviderError('KeyServiceUnavailable', message, { fields: [this.setting] });
  }

  /** Warns again and again: a revocation that cannot be read must not go unnoticed. */
  #warn(): void {
    const effect = this.#isTooOld
      ? 'they are too old, so all grants are refused'
      : 'the keys that were read last stay in effect';
    const text = `${this.#problem}; it could not be read since ${this.#read.at}: ${effect}`;
    const nowMs = performance.now();
    if (text === this.#warned?.text && nowMs - this.#warned.atMs < REPEATED_MS) return;
    this.#warned = { text, atMs: nowMs };
    process.emitWarning(text, 'WorkspaceProvidersWarning');
  }

  async #load(): Promise<string> {
    if (this.where.startsWith('https:')) return this.#fetch();
    if (this.where.startsWith('http:')) throw this.#refused('is an http: address, which anybody on the way may change');
    return this.#readFile().catch((error: unknown) => {
      throw isProviderError(error) ? error : this.#refused(`names a file that ${fileProblem(error)}`);
    });
  }

  async #readFile(): Promise<string> {
    const file = await open(this.where, 'r');
    try {
      if (this.options.refusesOpenFiles) {
        // Of the opened file: a link or a rename in between must not lead to another one.
        const problem = permissionProblem(await file.stat(), await stat(dirname(await realpath(this.where))));
        if (problem) throw ProviderError.setupInvalid(this.setting, `names a file that ${problem}`);
      }
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  }

  #refused(problem: string): ProviderError {
    const rule = 'it must be a JSON document, an https: address, or the path of a file';
    return ProviderError.setupInvalid(this.setting, `${problem}; ${rule}`);
  }

  async #fetch(): Promise<string> {
    try {
      const { fetch = (...call) => client().fetch(...call) } = this.options;
      const response = await fetch(this.where, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
      const text = await response.text();
      if (response.ok) return text;
    } catch {
      // Handled like an answer with an error status.
    }
    throw new ProviderError('KeyServiceUnavailable', `the address in ${this.setting} does not answer with a document`);
  }
}
