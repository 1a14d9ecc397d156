/**
 * With whose credentials does this step run? Resolving answers with a reference, fit for a history; opening turns a
 * reference into a credential, in this process, for the length of one callback. Knows no Temporal and no SQL.
 */
import { DEFAULT_LEASE_MS, Lease } from '../fence/lease.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import {
  checkChainId,
  checkPreference,
  checkProviderName,
  checkWorkspaceId,
  describeProvider,
} from '../protocol/names.js';
import type { CacheOutcome, ProviderReference, RpcReference } from '../protocol/references.js';
import type { CredentialOf, ProviderTypeName } from '../providers/index.js';
import { toProviderError } from '../providers/outcome.js';
import type { Fetch } from '../providers/type.js';
import type { ProviderStore } from '../store/provider-store.js';
import { checkChainsOf, missing } from './absence.js';
import { byPriority, endpointsOf, servesChain } from './chain-endpoints.js';
import { OpenScopes } from './open-scopes.js';
import { PlatformFallback } from './platform-fallback.js';
import type { OpenCredential, ProviderCall } from './provider-call.js';
import { type CacheRead, WorkspaceCache } from './workspace-cache.js';
import { type EntryDependencies, type OpenedProvider, type StoredProvider, WorkspaceEntry } from './workspace-entry.js';

export interface ProviderResolverOptions extends EntryDependencies {
  readonly store: Pick<ProviderStore, 'readWorkspace'>;
  /** Given to callbacks, so that every call to a service leaves through one HTTP client. */
  readonly fetch: Fetch;
  /** Default: no fallback. */
  readonly fallback?: PlatformFallback;
  /** What lets the cache answer; a `LeaseKeeper` keeps it. Default: none, so every read goes to the database. */
  readonly lease?: Lease;
  /** How many providers the cache holds at most. Default 10,000. */
  readonly maxProviders?: number;
}

interface Found {
  readonly opened: OpenedProvider;
  readonly cache: CacheOutcome;
}

/** How many providers are held, where no setting says so. */
export const DEFAULT_MAX_PROVIDERS = 10_000;

const NEVER_ABORTED = new AbortController().signal;

export class ProviderResolver {
  /** What was read, under the lease. */
  readonly cache: WorkspaceCache;
  /** Which credentials callbacks hold at this moment. */
  readonly openScopes = new OpenScopes();
  readonly #fallback: PlatformFallback;

  constructor(private readonly options: ProviderResolverOptions) {
    this.#fallback = options.fallback ?? PlatformFallback.off;
    const { store, lease = new Lease(DEFAULT_LEASE_MS) } = options;
    this.cache = new WorkspaceCache({
      lease,
      maxProviders: options.maxProviders ?? DEFAULT_MAX_PROVIDERS,
      load: async (workspaceId) => {
        const snapshot = await store.readWorkspace(workspaceId);
        return new WorkspaceEntry(workspaceId, snapshot, options, lease.now().monotonicMs);
      },
    });
  }

  /**
   * The workspace's LLM provider.
   *
   * @param provider - `anthropic`, `openai`, `gemini`, or another name that the workspace configured; of a list, the
   *   first that is configured and active
   * @throws ProviderError `ProviderNotConfigured`, `ProviderDisabled`, `CredentialUnreadable`,
   *   `ProviderConfigInvalid`, `StoreUnavailable`, `KeyServiceUnavailable`
   */
  async resolveLlmKey(workspaceId: string, provider: string | readonly string[]): Promise<ProviderReference<'llm'>> {
    const names = typeof provider === 'string' ? [provider] : checkPreference(provider);
    return this.peek(workspaceId, 'llm', names) ?? referenceTo(await this.#find(workspaceId, 'llm', names));
  }

  /** The workspace's Tenderly account. Throws as {@link resolveLlmKey} does. */
  async resolveTenderlyConfig(workspaceId: string): Promise<ProviderReference<'tenderly'>> {
    return (
      this.peek(workspaceId, 'tenderly', ['default']) ??
      referenceTo(await this.#find(workspaceId, 'tenderly', ['default']))
    );
  }

  /**
   * The workspace's endpoints of a chain, the lowest `priority` first. Throws as {@link resolveLlmKey} does.
   *
   * @param atLeast - an older answer, as a floor: none of its endpoints comes back at an older version
   */
  async resolveRpcEndpoint(workspaceId: string, chainId: number, atLeast?: RpcReference): Promise<RpcReference> {
    checkWorkspaceId(workspaceId);
    checkChainId(chainId);
    const floors = atLeast?.endpoints ?? [];
    const fallbackName = `chain-${chainId}`;
    const platform = this.#fallback.open(workspaceId, 'rpc', fallbackName);
    const read = await this.cache.read(
      workspaceId,
      (entry) =>
        servesChain(entry, chainId, floors) || (platform !== undefined && endpointsOf(entry, chainId).length === 0),
    );
    const endpoints = endpointsOf(read.entry, chainId);
    const active = endpoints.filter((endpoint) => endpoint.active);
    const found = await Promise.all(active.map((endpoint) => this.#openRead(read, endpoint)));
    if (platform && endpoints.length === 0) found.push({ opened: platform, cache: read.cache });
    if (found.length === 0) {
      checkChainsOf(read.entry);
      const names = endpoints.map(({ name }) => name);
      throw missing(read.entry, workspaceId, 'rpc', names.length > 0 ? names : [fallbackName]);
    }
    return {
      workspaceId,
      type: 'rpc',
      chainId,
      endpoints: found.sort(byPriority).map((each) => referenceTo<'rpc'>(each)),
    };
  }

  /**
   * The warm path: the first of `names` if the cache holds it, active and opened. Synchronous, no query.
   */
  peek<Type extends string>(
    workspaceId: string,
    type: Type,
    names: readonly string[],
  ): ProviderReference<Type> | undefined {
    const entry = this.cache.peek(workspaceId);
    if (entry === undefined) return undefined;
    for (const name of names) {
      const stored = entry.find(type, name);
      if (stored?.active) {
        if (stored.opened) this.cache.countHit();
        return stored.opened?.reference as ProviderReference<Type> | undefined;
      }
    }
    return undefined;
  }

  /**
   * Opens a reference, at its version or a newer one. A reference to the workspace's own provider never opens the
   * platform's. Throws as {@link resolveLlmKey} does.
   */
  async open<Type extends ProviderTypeName>(
    reference: ProviderReference<Type>,
  ): Promise<OpenCredential<CredentialOf<Type>>>;
  async open(reference: ProviderReference): Promise<OpenCredential<unknown>>;
  async open(reference: ProviderReference): Promise<OpenCredential<unknown>> {
    return this.#handOut(await this.#openAtLeast(reference));
  }

  /**
   * Opens a reference for the length of a callback. Where the service refuses the credential, the workspace is read
   * again and, if that brought another credential, the callback runs once more: a step in flight when its key was
   * rotated heals by itself. What the callback throws comes out as a `ProviderError` where a service said it, else as
   * it is.
   */
  async withProvider<Type extends ProviderTypeName, Result>(
    reference: ProviderReference<Type>,
    callback: (call: ProviderCall<CredentialOf<Type>>) => Promise<Result>,
    signal: AbortSignal = NEVER_ABORTED,
  ): Promise<Result> {
    const attempt = async ({ opened, cache }: Found): Promise<Result> => {
      const { credential, use } = this.#handOut({ opened, cache });
      try {
        const typed = credential as CredentialOf<Type>;
        return await callback({ credential: typed, use, fetch: this.options.fetch, signal });
      } catch (error) {
        throw toProviderError(error, opened.reference) ?? error;
      }
    };
    const scope = this.openScopes.hold(reference);
    try {
      const found = await this.#openAtLeast(reference);
      scope.opened(found.opened.reference);
      try {
        return await attempt(found);
      } catch (error) {
        if (!isProviderError(error, 'CredentialRejected')) throw error;
        const again = await this.#openOtherThan(reference, found.opened.reference);
        if (!again) throw error;
        scope.opened(again.opened.reference);
        return await attempt(again);
      }
    } finally {
      scope.release();
    }
  }

  #handOut({ opened, cache }: Found): OpenCredential<unknown> {
    this.options.audit?.used(opened.reference);
    const { name, version, source } = opened.reference;
    return { credential: opened.credential, use: { name, version, source, cache } };
  }

  /** Reads again; `undefined` where that brought no other credential than `refused`. */
  async #openOtherThan(reference: ProviderReference, refused: ProviderReference): Promise<Found | undefined> {
    const isOther = (version: number | undefined) => version !== undefined && version !== refused.version;
    const { entry, cache } = await this.cache.read(reference.workspaceId, (candidate) =>
      isOther(candidate.find(reference.type, reference.name)?.record.version),
    );
    const stored = entry.find(reference.type, reference.name);
    if (!stored?.active || !isOther(stored.record.version)) return undefined;
    return { opened: await stored.open(), cache };
  }

  async #openAtLeast(reference: ProviderReference): Promise<Found> {
    const { workspaceId, type, name } = reference;
    const cached = this.cache.peek(workspaceId)?.find(type, name);
    if (cached?.active && cached.opened && cached.record.version >= reference.version) {
      this.cache.countHit();
      return { opened: cached.opened, cache: 'hit' };
    }
    const found = await this.#find(workspaceId, type, [name], reference);
    if (found.opened.reference.version < reference.version && found.opened.reference.source === 'workspace') {
      throw new ProviderError(
        'StoreUnavailable',
        `Postgres is behind ${describeProvider(reference)}: read the primary`,
        {
          provider: reference,
        },
      );
    }
    return found;
  }

  /** The first of `names` that is active, the workspace's own before the platform's. */
  async #find(workspaceId: string, type: string, names: readonly string[], floor?: ProviderReference): Promise<Found> {
    checkWorkspaceId(workspaceId);
    for (const name of names) checkProviderName(name);
    const pick = (entry: WorkspaceEntry) =>
      names.map((name) => entry.find(type, name)).find((stored) => stored?.active);
    const platform = (entry: WorkspaceEntry) => {
      const unknown = floor?.source === 'workspace' ? [] : names.filter((name) => !entry.find(type, name));
      return unknown.map((name) => this.#fallback.open(workspaceId, type, name)).find(Boolean);
    };
    const read = await this.cache.read(workspaceId, (entry) => {
      const stored = pick(entry);
      return stored ? stored.record.version >= (floor?.version ?? 0) : platform(entry) !== undefined;
    });
    const stored = pick(read.entry);
    if (stored) return this.#openRead(read, stored);
    const opened = platform(read.entry);
    if (opened) return { opened, cache: read.cache };
    throw missing(read.entry, workspaceId, type, names);
  }

  /** A row that fails to open from the cache may have been repaired since: it is read once more before it fails. */
  async #openRead({ entry, cache }: CacheRead, stored: StoredProvider): Promise<Found> {
    try {
      return { opened: await stored.open(), cache };
    } catch (error) {
      if (cache === 'miss') throw error;
      const { workspaceId, type, name } = stored.identity;
      const again = await this.cache.read(workspaceId, (candidate) => candidate !== entry);
      const repaired = again.entry.find(type, name);
      if (!repaired?.active) throw error;
      return { opened: await repaired.open(), cache: again.cache };
    }
  }
}

function referenceTo<Type extends string>({ opened, cache }: Found): ProviderReference<Type> {
  const reference = opened.reference as ProviderReference<Type>;
  return cache === 'hit' ? reference : { ...reference, cache };
}
