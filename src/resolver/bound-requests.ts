/**
 * The requests of one `withProvider` callback. Each asks for the credential when it is made, and once more when its head
 * is written: a request never starts with a version that is no longer served, however long the callback runs. A request
 * is a holder of its version until its answer has ended.
 */
import type { Fetch } from '../egress/http-client.js';
import { CREDENTIAL_CHANGED } from '../egress/sealed-head.js';
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity, ProviderReference } from '../protocol/references.js';
import { causesOf } from '../providers/answers/service-answer.js';
import type { CredentialFinder, FoundCredential } from './credential-finder.js';
import type { OpenScope, OpenScopes } from './open-scopes.js';
import { judged } from './refused-request.js';
import type { WorkspaceCache } from './workspace-cache.js';

export interface RequestParts {
  readonly finder: CredentialFinder;
  readonly cache: WorkspaceCache;
  readonly scopes: OpenScopes;
  /** The HTTP client, with the limits of the type. */
  readonly fetch: Fetch;
  /** Called when a request gets another version than the one before. */
  readonly onOther: (found: FoundCredential) => void;
  /** Called when the service refused the credential of a request. */
  readonly onRefused: (refused: ProviderReference) => void;
}

interface HeldCredential {
  readonly found: FoundCredential;
  readonly hold: OpenScope;
  /** Whether it may be sent only under the lease. What was read without a lease is as new as the request. */
  readonly isUnderLease: boolean;
  /** Whether the request went to another address, without the credential: its answer says nothing about it. */
  isElsewhere?: boolean;
}

/** How often a request that has not been sent begins again because its credential changed meanwhile. */
const MAX_CHANGES = 5;

export class BoundRequests {
  readonly #holds = new Set<OpenScope>();
  #newest: FoundCredential;
  /** Whether the service refused the newest credential, and there was no other. */
  #isFinallyRefused = false;
  #isHealed = false;

  /** @param first - what the callback begins with */
  constructor(
    private readonly parts: RequestParts,
    private readonly first: FoundCredential,
  ) {
    this.#newest = first;
  }

  /** What the last request was sent with. */
  get newest(): ProviderReference {
    return this.#newest.opened.reference;
  }

  get isFinallyRefused(): boolean {
    return this.#isFinallyRefused;
  }

  /** Whether a refused request was sent again with another credential. */
  get isHealed(): boolean {
    return this.#isHealed;
  }

  readonly fetch: Fetch = async (input, init) => {
    const canRepeat = canBeSentAgain(input, init);
    for (let changes = 0; ; changes += 1) {
      try {
        return await this.#once(input, init, canRepeat);
      } catch (error) {
        if (!hasChanged(error)) throw error;
        if (!canRepeat || changes >= MAX_CHANGES) throw changedMeanwhile(this.newest);
      }
    }
  };

  /** The credential itself. The callback holds it until it ends. */
  async reveal(): Promise<unknown> {
    const { found } = await this.#open(() => this.#find());
    return found.opened.service.reveal();
  }

  /** The callback has ended. */
  end(): void {
    for (const hold of this.#holds) hold.release();
    this.#holds.clear();
  }

  async #once(input: Parameters<Fetch>[0], init: RequestInit | undefined, canRepeat: boolean): Promise<Response> {
    const first = await this.#open(() => this.#current() ?? this.#find());
    if (!canRepeat) return this.#send(first, input, init);
    const { reference, service } = first.found.opened;
    const { isRefused, result } = await judged(() => this.#send(first, input, init), service.meaningOf);
    if (!isRefused || first.isElsewhere) return result();
    this.parts.onRefused(reference);
    const again = await this.#open(() => this.parts.finder.otherThan(reference));
    this.#isFinallyRefused = again === undefined;
    this.#isHealed ||= again !== undefined;
    return again ? this.#send(again, input, init) : result();
  }

  async #send(held: HeldCredential, ...request: Parameters<Fetch>): Promise<Response> {
    const { cache, fetch } = this.parts;
    const { found, hold, isUnderLease } = held;
    const isCurrent = () => !hold.isOutdated && (!isUnderLease || cache.isLeaseHeld());
    const onEnd = () => this.#release(hold);
    const onElsewhere = () => {
      held.isElsewhere = true;
      onEnd();
    };
    try {
      return await found.opened.service.adaptFetch(fetch, { isCurrent, onEnd, onElsewhere })(...request);
    } catch (error) {
      onEnd();
      throw error;
    }
  }

  #open(find: () => FoundCredential | Promise<FoundCredential>): Promise<HeldCredential>;
  #open(find: () => Promise<FoundCredential | undefined>): Promise<HeldCredential | undefined>;
  async #open(find: () => FoundCredential | Promise<FoundCredential | undefined>): Promise<HeldCredential | undefined> {
    // Before the credential is read, so that a change after the read is noticed.
    const hold = this.parts.scopes.hold(this.newest);
    this.#holds.add(hold);
    try {
      const found = await find();
      if (found) {
        this.#use(found);
        hold.opened(found.opened.reference);
        return { found, hold, isUnderLease: found.cache === 'hit' || this.parts.cache.isLeaseHeld() };
      }
    } catch (error) {
      this.#release(hold);
      throw error;
    }
    this.#release(hold);
    return undefined;
  }

  #release(hold: OpenScope): void {
    this.#holds.delete(hold);
    hold.release();
  }

  #current(): FoundCredential | undefined {
    return this.parts.finder.cached(this.newest);
  }

  #find(): Promise<FoundCredential> {
    return this.parts.finder.atLeast(this.newest);
  }

  /** @throws ProviderError if the service is at another address now: what the callback made knows the older one */
  #use(found: FoundCredential): void {
    const { reference, service } = found.opened;
    if (service.destination !== this.first.opened.service.destination) throw movedMeanwhile(reference);
    const isOther = found.opened !== this.#newest.opened;
    this.#newest = found;
    if (isOther) this.parts.onOther(found);
  }
}

/** A stream can be sent once. */
function canBeSentAgain(input: Parameters<Fetch>[0], init: RequestInit | undefined): boolean {
  const body: unknown = init?.body ?? (input instanceof Request ? input.body : undefined);
  const isWhole = typeof body === 'string' || body instanceof URLSearchParams || body instanceof FormData;
  return body == null || isWhole || body instanceof Blob || body instanceof ArrayBuffer || ArrayBuffer.isView(body);
}

function hasChanged(error: unknown): boolean {
  return causesOf(error).some(({ code }) => code === CREDENTIAL_CHANGED);
}

function changedMeanwhile(provider: ProviderReference): ProviderError {
  const message = `the credential of ${describeProvider(provider)} was replaced before the request was sent`;
  return new ProviderError('ProviderUnavailable', message, { provider: identityOf(provider) });
}

function movedMeanwhile(provider: ProviderReference): ProviderError {
  const message =
    `${describeProvider(provider)} has another address or account since this step began, so its client calls the ` +
    'older one: run the step again';
  return new ProviderError('ProviderConfigInvalid', message, { provider: identityOf(provider), isPassing: true });
}

function identityOf({ workspaceId, type, name }: ProviderReference): ProviderIdentity {
  return { workspaceId, type, name };
}
