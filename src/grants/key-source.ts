/**
 * Reads a document of keys from a text, a file or an address. A file or an address is read again if the last read is
 * some time ago. If that fails, the document that was read last stays in effect, so that an outage of the publisher
 * stops no workflow.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { CHECK_LIMITS, createFetch, type Fetch, type HttpClient } from '../egress/http-client.js';
import { EgressPolicy } from '../egress/policy.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';

/** How long a change may go unnoticed, in milliseconds. */
const FRESH_MS = 10_000;
/** An unknown key may be newer than the document, but many unknown keys must not cause as many reads. */
const ASKED_AGAIN_MS = 1_000;
const FETCH_TIMEOUT_MS = 2_000;
const LONGEST_BYTES = 1024 * 1024;

/** An operator chose the address: it may be in any network, but its answer is bounded as every other one is. */
const ANY_ADDRESS = new EgressPolicy({ networks: ['loopback', '0.0.0.0/0', '::/0'], ports: 'any' });
let shared: HttpClient | undefined;

function client(): HttpClient {
  shared ??= createFetch({ egress: ANY_ADDRESS, limits: CHECK_LIMITS, maxResponseBytes: LONGEST_BYTES });
  return shared;
}

export class KeySource<Document> {
  #document: Document | undefined;
  #text: string | undefined;
  #complaint: string | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<Document> | undefined;

  /**
   * @param where - the document itself, as JSON, or the path of a file, or an `https:` address
   * @param fetch - for tests. Default: the HTTP client, which may go to any address here
   * @param parse - throws a ProviderError if the text is not valid
   * @throws ProviderError `SetupInvalid` if `where` is the document itself and is not valid
   */
  constructor(
    private readonly where: string,
    private readonly setting: string,
    private readonly parse: (text: string) => Document,
    private readonly fetch: Fetch = (...call) => client().fetch(...call),
  ) {
    if (!where.startsWith('{')) return;
    this.#document = parse(where);
    this.#readAtMs = Number.POSITIVE_INFINITY;
  }

  /**
   * Returns the document, as the same object until it changes. If it cannot be read again, returns the last one.
   *
   * @throws ProviderError `SetupInvalid` or `KeyServiceUnavailable` if it was never read
   */
  async current(): Promise<Document> {
    const document = this.#document;
    if (document && performance.now() - this.#readAtMs < FRESH_MS) return document;
    try {
      return await this.#readOnce();
    } catch (error) {
      if (!document || !isProviderError(error)) throw error;
      this.#readAtMs = performance.now();
      this.#complain(`${error.message}; the keys that were read last stay in effect`);
      return document;
    }
  }

  /**
   * Reads again, at most once per second: for a key that the document does not have.
   *
   * @throws ProviderError as `current`, but also if it was read before, because a newer document may have the key
   */
  async newer(): Promise<Document> {
    const waitMs = this.#readAtMs + ASKED_AGAIN_MS - performance.now();
    if (this.#document && waitMs === Number.POSITIVE_INFINITY) return this.#document;
    if (waitMs > 0) await delay(waitMs);
    return this.#readOnce();
  }

  /** Concurrent callers share a read. */
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

  /** Warns once per problem, until it is over: a revocation that cannot be read must not go unnoticed. */
  #complain(complaint: string): void {
    if (complaint !== this.#complaint) process.emitWarning(complaint, 'WorkspaceProvidersWarning');
    this.#complaint = complaint;
  }

  async #load(): Promise<string> {
    if (this.where.startsWith('https:')) return this.#fetch();
    return readFile(this.where, 'utf8').catch(() => {
      const message = `${this.setting} must be a JSON document, an https: address, or the path of a readable file`;
      throw new ProviderError('SetupInvalid', message, { fields: [this.setting] });
    });
  }

  async #fetch(): Promise<string> {
    try {
      const response = await this.fetch(this.where, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
      const text = await response.text();
      if (response.ok) return text;
    } catch {
      // Handled like an answer with an error status.
    }
    throw new ProviderError('KeyServiceUnavailable', `the address in ${this.setting} does not answer with a document`);
  }
}
