/**
 * Resolves and opens the providers of workspaces. Resolving returns a reference, which may be stored in a history.
 * Opening turns a reference into a credential, in this process, for the length of one callback. There is no Temporal
 * and no SQL here.
 */
import { type ResolverOptions, readConfig, readResolverConfig } from '../config/resolver-config.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { checkChainId, checkPreference, checkWorkspaceId } from '../protocol/names.js';
import type { NamedProvider, ProviderReference, RpcReference } from '../protocol/references.js';
import type { ResolveLlmKeyInput, ResolveRpcEndpointInput, ResolveTenderlyConfigInput } from '../protocol/steps.js';
import { toProviderError } from '../providers/answers/provider-error.js';
import type { CredentialOf, OwnTypes, StepProviderType } from '../providers/credentials.js';
import type { RpcCredential } from '../providers/rpc/rpc.js';
import { BoundRequests } from './bound-requests.js';
import { callLifetime } from './call-lifetime.js';
import { firstAnswer, floorsIn } from './chain-endpoints.js';
import { connectParts, type ResolverParts } from './connect-parts.js';
import { CredentialFinder, type FoundCredential } from './credential-finder.js';
import { factsOf, firstOf, shownNames } from './found-facts.js';
import { JoinedAnswers } from './joined-answers.js';
import type { OpenCredential, ProviderCall } from './provider-call.js';
import { Refusal } from './refused-request.js';

/**
 * Decides which workspace a caller may use. `named` is the workspace in the arguments, if there is one.
 *
 * @throws ProviderError `GrantInvalid`, before the database is read
 */
export type WorkspaceScope = (named?: string) => Promise<string>;

/**
 * Resolves and opens the providers of workspaces, from a cache under a lease. A worker has one through
 * `WorkspaceProviders`; a program that is not a worker connects its own and closes it.
 *
 * @example
 * const resolver = await ProviderResolver.connect();
 * const llm = await resolver.resolveLlmKey({ workspaceId: 'ws_acme', provider: 'anthropic' });
 * const answer = await resolver.withProvider(llm, ({ credential, fetch }) => ask(credential, fetch));
 * await resolver.close();
 * @typeParam Types - the provider types of your own that it was connected with
 */
export class ProviderResolver<Types extends OwnTypes = []> {
  /** @internal */
  readonly parts: ResolverParts;
  readonly #finder: CredentialFinder;
  readonly #joined: JoinedAnswers;
  readonly #workspaceOf: WorkspaceScope;

  private constructor(parts: ResolverParts, workspaceOf: WorkspaceScope = namedWorkspace) {
    this.parts = parts;
    this.#finder = new CredentialFinder(parts.cache, parts.fallback, parts.types);
    this.#joined = new JoinedAnswers(parts.cache, (...asked) => this.#resolve(...asked));
    this.#workspaceOf = workspaceOf;
  }

  /** @internal */
  static of<Types extends OwnTypes = []>(parts: ResolverParts): ProviderResolver<Types> {
    return new ProviderResolver<Types>(parts);
  }

  /**
   * Connects to Postgres, and checks the login. The cache's lease is taken with the first read.
   *
   * @param options - an option that is absent is read from its setting: docs/configuration.md
   * @throws ProviderError `SetupInvalid` for a setting or a login that does not fit, `StoreUnavailable`
   */
  static async connect<const Types extends OwnTypes = []>(
    options: ResolverOptions<Types> = {},
  ): Promise<ProviderResolver<Types>> {
    return ProviderResolver.of(await connectParts(readConfig(options, readResolverConfig)));
  }

  /** The same resolver for callers whose workspace another authority decides. @internal */
  scopedTo(workspaceOf: WorkspaceScope): ProviderResolver<Types> {
    return new ProviderResolver<Types>(this.parts, workspaceOf);
  }

  /**
   * Returns a reference to a provider of the workspace. If `name` is a list, it is the first that is configured and
   * active.
   *
   * @param provider - `workspaceId` is required, except for the resolver of a worker with grants
   * @throws ProviderError `ProviderNotConfigured`, `ProviderDisabled`, `CredentialUnreadable`, `ProviderConfigInvalid`,
   *   `GrantInvalid`, `StoreUnavailable`, `KeyServiceUnavailable`
   */
  resolveProvider<Type extends StepProviderType<Types>>(
    provider: NamedProvider<Type>,
  ): Promise<ProviderReference<Type>> {
    const { workspaceId, type, name, atLeast } = provider;
    const shared = atLeast ? undefined : this.#shared(workspaceId, type, name);
    return shared ?? this.#resolve(workspaceId, type, name, atLeast);
  }

  /** Returns a reference to the workspace's LLM provider, as {@link resolveProvider} does. */
  resolveLlmKey({ workspaceId, provider, atLeast }: ResolveLlmKeyInput): Promise<ProviderReference<'llm'>> {
    return this.resolveProvider({ workspaceId, type: 'llm', name: provider, atLeast });
  }

  /** Returns a reference to the workspace's Tenderly account. Throws as {@link resolveProvider} does. */
  resolveTenderlyConfig(wanted: ResolveTenderlyConfigInput = {}): Promise<ProviderReference<'tenderly'>> {
    return this.resolveProvider({ ...wanted, type: 'tenderly', name: 'default' });
  }

  /**
   * Returns references to the workspace's endpoints of a chain, the lowest `priority` first. An endpoint that cannot be
   * opened is listed in `unusable`, as long as another one can. Throws as {@link resolveProvider} does.
   */
  async resolveRpcEndpoint({ workspaceId: named, chainId, atLeast }: ResolveRpcEndpointInput): Promise<RpcReference> {
    const find = async () => {
      const workspaceId = checkWorkspaceId(await this.#workspaceOf(named));
      return this.#finder.chain(workspaceId, checkChainId(chainId), atLeast);
    };
    const begun = shownNames({ workspaceId: named ?? '', type: 'rpc', name: `chain-${Number(chainId)}` });
    const { endpoints, unusable } = await this.parts.observer.during('resolve', begun, find, firstOf);
    const references = endpoints.map((each) => referenceTo<'rpc'>(each));
    const workspaceId = references[0]?.workspaceId ?? '';
    return { workspaceId, type: 'rpc', chainId, endpoints: references, ...(unusable.length > 0 && { unusable }) };
  }

  /**
   * Opens a reference for the length of a callback. Each request of the callback's `fetch` uses the newest version, so a
   * step whose key is rotated meanwhile goes on with the next key. If the service refuses a credential that `fetch` could
   * not replace, the workspace is read again and, if that brought another credential, the callback runs once more. With
   * a chain's reference, the next endpoint is asked if one is unavailable, limits the rate, is out of credit or was
   * disabled.
   *
   * @throws ProviderError if a service caused the failure; other errors of the callback are thrown unchanged
   */
  withProvider<Type extends StepProviderType<Types>, Result>(
    reference: ProviderReference<Type>,
    callback: (call: ProviderCall<CredentialOf<Type, Types>>) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result>;
  withProvider<Result>(
    reference: RpcReference,
    callback: (call: ProviderCall<RpcCredential>) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result>;
  async withProvider<Result>(
    reference: ProviderReference | RpcReference,
    callback: (call: ProviderCall<never>) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    if (!('endpoints' in reference)) return this.#withOne(reference, callback, signal);
    const { workspaceId, chainId } = reference;
    const { endpoints } = await this.resolveRpcEndpoint({ workspaceId, chainId, atLeast: floorsIn(reference) });
    const ask = (endpoint: ProviderReference) => this.#withOne(endpoint, callback, signal);
    return (await firstAnswer(endpoints, ask)).result;
  }

  /**
   * {@link withProvider} for a reference that the same activity has resolved: its `cache` is that of the call. @internal
   */
  withResolved<Type extends StepProviderType<Types>, Result>(
    reference: ProviderReference<Type>,
    callback: (call: ProviderCall<CredentialOf<Type, Types>>) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    return this.#withOne(reference, callback, signal, reference.cache);
  }

  async #withOne<Result>(
    reference: ProviderReference,
    callback: (call: ProviderCall<never>) => Promise<Result>,
    signal: AbortSignal | undefined,
    resolvedBy: ProviderReference['cache'] = 'hit',
  ): Promise<Result> {
    await this.#workspaceOf(reference.workspaceId);
    const { cache, scopes, fetchFor, types, observer } = this.parts;
    const identity = shownNames(reference);
    const fetch = fetchFor(types.stepType(reference.type).type);
    const onRefused = ({ version }: ProviderReference) =>
      observer.report({ what: 'rejected', provider: identity, version });
    let isHealed = false;
    const attempt = async (found: FoundCredential) => {
      const { service } = found.opened;
      const { credential, use } = this.#handOut({ ...found, cache: found.cache === 'hit' ? resolvedBy : found.cache });
      // The same object, so that the result of a step says which version answered.
      const onOther = (other: FoundCredential) => void Object.assign(use, this.#handOut(other).use);
      const requests = new BoundRequests({ finder: this.#finder, cache, scopes, fetch, onOther, onRefused }, found);
      const lifetime = callLifetime(requests.fetch, signal);
      const reveal = async () => {
        lifetime.checkRunning();
        const revealed = await requests.reveal();
        // It may have ended meanwhile: then no drain waits for it.
        lifetime.checkRunning();
        return revealed as never;
      };
      try {
        return await callback({ credential, use, fetch: lifetime.fetch, signal: lifetime.signal, reveal });
      } catch (error) {
        const failure = toProviderError(error, found.opened.reference, service) ?? error;
        if (!isProviderError(failure, 'CredentialRejected') || requests.isFinallyRefused) throw failure;
        onRefused(requests.newest);
        return new Refusal(failure, requests.newest);
      } finally {
        isHealed ||= requests.isHealed;
        lifetime.end();
        requests.end();
      }
    };
    const run = async () => {
      const first = await attempt(await this.#finder.atLeast(reference));
      if (!(first instanceof Refusal)) return first;
      const again = await this.#finder.otherThan(first.refused);
      isHealed ||= again !== undefined;
      const second = again ? await attempt(again) : first;
      if (second instanceof Refusal) throw second.failure;
      return second;
    };
    return observer.during('open', { ...identity, version: Number(reference.version) }, run, () => ({ isHealed }));
  }

  /**
   * Forgets every credential, gives the lease back, and closes what `connect` opened. Idempotent. A process that has
   * nothing left to do calls it.
   */
  close(): Promise<void> {
    return this.parts.close();
  }

  /**
   * Runs a step of a workspace when it is that workspace's turn in this process. @internal
   *
   * @param wanted - without a workspace, it is that of the caller's grant
   * @throws ProviderError `ProviderRateLimited` if the workspace has too many steps
   */
  async inTurn<Result>(
    wanted: { readonly workspaceId?: string },
    signal: AbortSignal,
    step: (workspaceId: string) => Promise<Result>,
  ): Promise<Result> {
    // First: a workflow of another workspace must not take its turns.
    const workspaceId = await this.#workspaceOf(wanted.workspaceId);
    return this.parts.limiter.run(workspaceId, signal, () => step(workspaceId));
  }

  /** Reveals a credential without a callback: no drain waits for what it returns. @internal */
  async open<Type extends StepProviderType<Types>>(
    reference: ProviderReference<Type>,
  ): Promise<OpenCredential<CredentialOf<Type, Types>>> {
    const found = await this.#finder.atLeast(reference);
    const credential = found.opened.service.reveal() as CredentialOf<Type, Types>;
    return { ...this.#handOut(found), credential };
  }

  /** A provider that the cache holds, active and opened. Synchronous, no query. @internal */
  peek<Type extends string>(workspaceId: string, type: Type, name: string): ProviderReference<Type> | undefined {
    return this.parts.cache.warm(workspaceId, type, name) as ProviderReference<Type> | undefined;
  }

  /** An answer that needs no read of its own: the cache's, or that of a load under way. `undefined` if there is neither. */
  #shared<Type extends string>(
    workspaceId: string | undefined,
    type: Type,
    name: string | readonly string[],
  ): Promise<ProviderReference<Type>> | undefined {
    if (this.#isScoped() || workspaceId === undefined || typeof name !== 'string') return undefined;
    const answer = this.peek(workspaceId, type, name);
    if (answer !== undefined) return Promise.resolve(answer);
    return this.#joined.of(workspaceId, type, name) as Promise<ProviderReference<Type>> | undefined;
  }

  /** Whether another authority than the caller decides on the workspace. */
  #isScoped(): boolean {
    return this.#workspaceOf !== namedWorkspace;
  }

  async #resolve<Type extends string>(
    named: string | undefined,
    type: Type,
    preference: string | readonly string[],
    floors?: NamedProvider['atLeast'],
  ): Promise<ProviderReference<Type>> {
    this.parts.types.stepType(type);
    const names = checkPreference(preference);
    const find = async () => {
      const workspaceId = this.#isScoped() || named === undefined ? await this.#workspaceOf(named) : named;
      return this.#finder.find(workspaceId, type, names, floors);
    };
    const begun = shownNames({ workspaceId: named ?? '', type, name: names[0] ?? '' });
    return referenceTo(await this.parts.observer.during('resolve', begun, find, factsOf));
  }

  #handOut({ opened, cache }: FoundCredential): OpenCredential<never> {
    this.parts.audit?.used(opened.reference);
    const { name, version, source } = opened.reference;
    return { credential: opened.credential as never, use: { name, version, source, cache } };
  }
}

async function namedWorkspace(named?: string): Promise<string> {
  if (named !== undefined) return named;
  throw ProviderError.configInvalid('workspaceId', 'is missing');
}

function referenceTo<Type extends string>({ opened, cache }: FoundCredential): ProviderReference<Type> {
  const reference = opened.reference as ProviderReference<Type>;
  return cache === 'hit' ? reference : { ...reference, cache };
}
