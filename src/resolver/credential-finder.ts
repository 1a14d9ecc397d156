/**
 * Finds and opens credentials, in the cache or by a load. A caller that has learned something new (a newer version, a
 * refused key) never gets an answer that is older than that.
 */
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { checkProviderName, checkWorkspaceId, describeProvider } from '../protocol/names.js';
import type {
  CacheOutcome,
  ProviderIdentity,
  ProviderReference,
  UnusableEndpoint,
  VersionFloors,
} from '../protocol/references.js';
import type { PlatformFallback } from '../providers/platform-fallback.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import { chainMisfit, notServed } from './absence.js';
import { byPriority, endpointsOf, servesChain } from './chain-endpoints.js';
import type { CacheRead, WorkspaceCache } from './workspace-cache.js';
import { type OpenedProvider, type SealedProvider, toOpened, type WorkspaceEntry } from './workspace-entry.js';

/** A row has a version per change. No activity accepts a larger number. */
const MAX_VERSION = 2_147_483_647;
/** By the retry policies of the steps, after 8 to 25 minutes: longer than a replica lags. */
const BEHIND_ATTEMPTS = 20;

const NO_FLOORS: VersionFloors = {};

export interface FoundCredential {
  readonly opened: OpenedProvider;
  readonly cache: CacheOutcome;
}

export interface FoundChain {
  /** The preferred one first; at least one. */
  readonly endpoints: readonly FoundCredential[];
  readonly unusable: readonly UnusableEndpoint[];
}

export class CredentialFinder {
  constructor(
    private readonly cache: WorkspaceCache,
    private readonly fallback: PlatformFallback,
    private readonly types: ProviderTypes,
  ) {}

  /**
   * Finds the first of `names` that is active. The workspace's own providers come before the platform's.
   *
   * @param floors - what the caller knows of the workspace's own providers: a reading that is older than that decides
   *   nothing, and the platform's provider does not take the place of one of them
   */
  async find(
    workspaceId: string,
    type: string,
    names: readonly string[],
    floors: VersionFloors = NO_FLOORS,
  ): Promise<FoundCredential> {
    checkWorkspaceId(workspaceId);
    this.types.stepType(type);
    for (const name of names) checkProviderName(name);
    const pick = (entry: WorkspaceEntry) => {
      for (const name of names) {
        const stored = entry.find(type, name);
        if (stored?.active) return stored;
      }
      return undefined;
    };
    const platform = (entry: WorkspaceEntry) => {
      const unknown = names.filter((name) => !Object.hasOwn(floors, name) && !entry.find(type, name));
      return unknown.map((name) => this.#platform(workspaceId, type, name)).find(Boolean);
    };
    const older = (entry: WorkspaceEntry, stored: SealedProvider | undefined) => {
      if (floors === NO_FLOORS) return [];
      const passed = stored ? names.slice(0, names.indexOf(stored.name) + 1) : names;
      return passed.filter((name) => isOlder(entry.find(type, name), name, floors));
    };
    const read = await this.cache.read(workspaceId, (entry) => {
      const stored = pick(entry);
      return (stored !== undefined || platform(entry) !== undefined) && older(entry, stored).length === 0;
    });
    const stored = pick(read.entry);
    // One that is missing was deleted. One that is older is not what the workspace has now.
    const behindOne = older(read.entry, stored).find((name) => read.entry.find(type, name));
    if (behindOne !== undefined) throw behind({ workspaceId, type, name: behindOne });
    if (stored) {
      // Not in a function of its own: with a thousand callers of one load, each promise more per caller shows.
      try {
        return { opened: stored.opened ?? (await stored.open()), cache: read.cache };
      } catch (error) {
        return await this.#openAgain(read, stored, error);
      }
    }
    const opened = platform(read.entry);
    if (opened) return { opened, cache: read.cache };
    throw notServed(read.entry, workspaceId, type, names);
  }

  /** What the cache holds for {@link atLeast}. Synchronous. */
  cached({ workspaceId, type, name, version }: ProviderReference): FoundCredential | undefined {
    const cached = this.cache.peek(workspaceId)?.find(type, name);
    if (!cached?.active || !cached.opened || cached.record.version < version) return undefined;
    this.cache.countHit();
    return { opened: cached.opened, cache: 'hit' };
  }

  /** Finds the credential that a reference names, at its version or a newer one. */
  async atLeast(reference: ProviderReference): Promise<FoundCredential> {
    const { workspaceId, type, name } = reference;
    this.types.stepType(type);
    checkVersion(reference);
    const cached = this.cached(reference);
    if (cached) return cached;
    const isOwn = reference.source === 'workspace' || reference.version > 0;
    return this.find(workspaceId, type, [name], isOwn ? { [name]: reference.version } : NO_FLOORS);
  }

  /** Reads the workspace again. Returns `undefined` if its credential is still the refused one. */
  async otherThan(refused: ProviderReference): Promise<FoundCredential | undefined> {
    const { workspaceId, type, name } = refused;
    const isOther = (version: number | undefined) => version !== undefined && version !== refused.version;
    const { entry, cache } = await this.cache.read(workspaceId, (candidate) =>
      isOther(candidate.find(type, name)?.record.version),
    );
    const stored = entry.find(type, name);
    if (!stored?.active || !isOther(stored.record.version)) return undefined;
    return { opened: await stored.open(), cache };
  }

  /**
   * Finds the endpoints of a chain, by priority. One that does not open does not affect the others.
   *
   * @param floors - no endpoint is returned at an older version
   */
  async chain(workspaceId: string, chainId: number, floors: VersionFloors = NO_FLOORS): Promise<FoundChain> {
    const fallbackName = `chain-${chainId}`;
    const platform = this.#platform(workspaceId, 'rpc', fallbackName);
    const read = await this.cache.read(
      workspaceId,
      (entry) =>
        servesChain(entry, chainId, floors) || (platform !== undefined && endpointsOf(entry, chainId).length === 0),
    );
    const stored = endpointsOf(read.entry, chainId);
    const active = stored.filter((endpoint) => endpoint.active);
    const { found, failed } = await this.#openEach(read, active, floors);
    if (platform && stored.length === 0) found.push({ opened: platform, cache: read.cache });
    if (found.length > 0) return { endpoints: found.sort(byPriority), unusable: failed.map(toUnusable) };
    const [first] = failed.toSorted(retryableFirst);
    if (first) throw first.error;
    const names = stored.map(({ name }) => name);
    throw (
      chainMisfit(read.entry) ?? notServed(read.entry, workspaceId, 'rpc', names.length > 0 ? names : [fallbackName])
    );
  }

  #platform(workspaceId: string, type: string, name: string): OpenedProvider | undefined {
    const found = this.fallback.find(type, name);
    return found && toOpened({ workspaceId, type, name }, found, 0, 'platform');
  }

  async #openEach(read: CacheRead, endpoints: readonly SealedProvider[], floors: VersionFloors) {
    const found: FoundCredential[] = [];
    const failed: FailedEndpoint[] = [];
    await Promise.all(
      endpoints.map(async (endpoint) => {
        try {
          if (isOlder(endpoint, endpoint.name, floors)) throw behind(endpoint.identity);
          found.push(await this.#open(read, endpoint));
        } catch (error) {
          if (!isProviderError(error)) throw error;
          failed.push({ name: endpoint.name, error });
        }
      }),
    );
    return { found, failed };
  }

  async #open(read: CacheRead, stored: SealedProvider): Promise<FoundCredential> {
    try {
      return { opened: await stored.open(), cache: read.cache };
    } catch (error) {
      return this.#openAgain(read, stored, error);
    }
  }

  /** A row that does not open from the cache may have been repaired since: it is read once more before it fails. */
  async #openAgain({ entry, cache }: CacheRead, stored: SealedProvider, error: unknown): Promise<FoundCredential> {
    if (cache === 'miss') throw error;
    const { workspaceId, type, name } = stored.identity;
    const again = await this.cache.read(workspaceId, (candidate) => candidate !== entry);
    const repaired = again.entry.find(type, name);
    if (!repaired?.active) throw error;
    return { opened: await repaired.open(), cache: again.cache };
  }
}

/** Whether a row is older than its floor. One that is missing is. */
function isOlder(stored: SealedProvider | undefined, name: string, floors: VersionFloors): boolean {
  return Object.hasOwn(floors, name) && (stored?.record.version ?? -1) < (floors[name] ?? 0);
}

/** A reference of another activity may be any JSON. */
function checkVersion({ version }: ProviderReference): void {
  if (Number.isInteger(version) && version >= 0 && version <= MAX_VERSION) return;
  throw ProviderError.configInvalid('version', `must be a whole number from 0 to ${MAX_VERSION}`);
}

/**
 * The database may be a replica that will catch up. After minutes it is the version that nothing will fit: it was made
 * up, or the database was restored to an earlier state.
 */
function behind({ workspaceId, type, name }: ProviderIdentity): ProviderError {
  const provider = { workspaceId, type, name };
  const what = describeProvider(provider);
  const final = ProviderError.configInvalid(
    'version',
    `of ${what} that the step asks for is newer than any that the database has: resolve the provider again, in a new ` +
      'run; if a backup was restored, see docs/runbook.md',
    provider,
  );
  const message = `the database has an older version of ${what}: connect to the primary`;
  return new ProviderError('StoreUnavailable', message, {
    provider,
    givesUp: { afterAttempts: BEHIND_ATTEMPTS, with: final },
  });
}

interface FailedEndpoint {
  readonly name: string;
  readonly error: ProviderError;
}

function toUnusable({ name, error }: FailedEndpoint): UnusableEndpoint {
  return { name, failure: error.type };
}

/** A failure that may pass comes before one that will not, so that the step is retried. */
function retryableFirst(a: FailedEndpoint, b: FailedEndpoint): number {
  return Number(b.error.retryable) - Number(a.error.retryable) || (a.name < b.name ? -1 : 1);
}
