/**
 * Where a document of keys comes from: a text, a file, or an address. What can change is read anew when it has not been
 * looked at for a while; where that fails, what was read last stays in force, so that an outage of the publisher stops
 * no workflow.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isProviderError, ProviderError } from '../protocol/errors.js';

/** How long a change may go unseen, in milliseconds. */
const FRESH_MS = 10_000;
/** An unknown key may be newer than what was read; a flood of them must not become one of reads. */
const ASKED_AGAIN_MS = 1_000;
const FETCH_TIMEOUT_MS = 2_000;
const LONGEST_CHARACTERS = 1024 * 1024;

export class KeySource<Document> {
  #document: Document | undefined;
  #text: string | undefined;
  #complaint: string | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<Document> | undefined;

  /**
   * @param where - the document itself, as JSON; or the path of a file; or an `https:` address
   * @param parse - throws ProviderError for what does not fit
   * @throws ProviderError `SetupInvalid` where it is the document itself, and does not fit
   */
  constructor(
    private readonly where: string,
    private readonly setting: string,
    private readonly parse: (text: string) => Document,
  ) {
    if (!where.startsWith('{')) return;
    this.#document = parse(where);
    this.#readAtMs = Number.POSITIVE_INFINITY;
  }

  /**
   * The same object as long as the document is the same. Where it cannot be read anew, what was read last.
   *
   * @throws ProviderError `SetupInvalid` or `KeyServiceUnavailable`, where it was never read
   */
  async current(): Promise<Document> {
    const document = this.#document;
    if (document && performance.now() - this.#readAtMs < FRESH_MS) return document;
    try {
      return await this.#readOnce();
    } catch (error) {
      if (!document || !isProviderError(error)) throw error;
      this.#readAtMs = performance.now();
      this.#complain(`${error.message}; what was read before stays in force`);
      return document;
    }
  }

  /**
   * For what the document does not know: looks again, though not more often than once a second.
   *
   * @throws ProviderError as `current`, also where it was read before: what is unknown may be known by now
   */
  async newer(): Promise<Document> {
    const waitMs = this.#readAtMs + ASKED_AGAIN_MS - performance.now();
    if (this.#document && waitMs === Number.POSITIVE_INFINITY) return this.#document;
    if (waitMs > 0) await delay(waitMs);
    return this.#readOnce();
  }

  /** All that ask at the same time share a look. */
  #readOnce(): Promise<Document> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<Document> {
    const text = await this.#load();
    if (text !== this.#text || this.#document === undefined) this.#document = this.parse(text);
    this.#text = text;
    this.#complaint = undefined;
    this.#readAtMs = performance.now();
    return this.#document;
  }

  /** Once for as long as it lasts: a revocation that cannot be read must not go unnoticed. */
  #complain(complaint: string): void {
    if (complaint !== this.#complaint) process.emitWarning(complaint, 'WorkspaceProvidersWarning');
    this.#complaint = complaint;
  }

  async #load(): Promise<string> {
    if (this.where.startsWith('https:')) return this.#fetch();
    return readFile(this.where, 'utf8').catch(() => {
      const message = `${this.setting} is neither a JSON document nor an https address, and names no file that can be read`;
      throw new ProviderError('SetupInvalid', message, { fields: [this.setting] });
    });
  }

  async #fetch(): Promise<string> {
    try {
      const response = await fetch(this.where, { redirect: 'error', signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
      const text = await response.text();
      if (response.ok && text.length <= LONGEST_CHARACTERS) return text;
    } catch {
      // As one that answers with an error.
    }
    throw new ProviderError('KeyServiceUnavailable', `${this.setting} names an address that does not answer`);
  }
}
