/**
 * The worker-local cache: workspaces, each with all its providers, so that one query serves every step of an agent.
 * An entry answers for at most one lease, counted from before its load was sent, by the monotonic clock, compared in
 * every read: `lru-cache`'s own TTL runs on a timer and serves expired entries after a pause.
 */
import { LRUCache } from 'lru-cache';
import type { CacheOutcome } from '../protocol/references.js';
import type { WorkspaceEntry } from './workspace-entry.js';

export interface WorkspaceCacheOptions {
  /** Reads the database. Its failures reach the callers that wait for it and are not cached. */
  readonly load: (workspaceId: string, requestedAtMs: number) => Promise<WorkspaceEntry>;
  /** How long an entry may answer, in milliseconds. */
  readonly leaseMs: number;
  /** How many providers are held at most; the least recently used workspaces go first. */
  readonly maxProviders: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** What the cache did since the process started. */
export interface CacheCounts {
  /** Answered from an entry. */
  readonly hit: number;
  /** Answered by a load of the caller's own. */
  readonly miss: number;
  /** Answered by somebody else's load. */
  readonly joined: number;
  /** Loads sent to the database. */
  readonly load: number;
}

export interface CacheRead {
  readonly entry: WorkspaceEntry;
  readonly cache: CacheOutcome;
}

interface Load {
  readonly startedAtMs: number;
  readonly entry: Promise<WorkspaceEntry>;
}

export class WorkspaceCache {
  readonly #entries: LRUCache<string, WorkspaceEntry>;
  readonly #loads = new Map<string, Load>();
  readonly #counts = { hit: 0, miss: 0, joined: 0, load: 0 };

  constructor(private readonly options: WorkspaceCacheOptions) {
    this.#entries = new LRUCache({ maxSize: options.maxProviders, sizeCalculation: (entry) => entry.size });
  }

  get counts(): CacheCounts {
    return { ...this.#counts };
  }

  /** The entry, if its lease is still running. Synchronous; counts nothing. */
  peek(workspaceId: string): WorkspaceEntry | undefined {
    const entry = this.#entries.get(workspaceId);
    return entry !== undefined && this.options.now() - entry.requestedAtMs < this.options.leaseMs ? entry : undefined;
  }

  countHit(): void {
    this.#counts.hit += 1;
  }

  /**
   * An entry that the caller accepts: the cached one, else that of a load in flight, else a fresh one, which is
   * returned whatever it holds. A caller that has learned something new (a newer version exists, a key was refused)
   * accepts only entries that show it, and so never waits on a load that began too early.
   */
  async read(workspaceId: string, accepts: (entry: WorkspaceEntry) => boolean): Promise<CacheRead> {
    const calledAtMs = this.options.now();
    const cached = this.peek(workspaceId);
    if (cached && accepts(cached)) {
      this.#counts.hit += 1;
      return { entry: cached, cache: 'hit' };
    }
    let inFlight = this.#loads.get(workspaceId);
    while (inFlight) {
      const entry = await inFlight.entry;
      if (inFlight.startedAtMs >= calledAtMs || accepts(entry)) {
        this.#counts.joined += 1;
        return { entry, cache: 'joined' };
      }
      inFlight = this.#loads.get(workspaceId);
    }
    this.#counts.miss += 1;
    return { entry: await this.#load(workspaceId), cache: 'miss' };
  }

  /** Lets go of entries whose lease has run out, so that no credential stays in memory because nobody asks for it. */
  sweep(): void {
    const oldestMs = this.options.now() - this.options.leaseMs;
    for (const [workspaceId, entry] of this.#entries.entries()) {
      if (entry.requestedAtMs <= oldestMs) this.#entries.delete(workspaceId);
    }
  }

  clear(): void {
    this.#entries.clear();
  }

  async #load(workspaceId: string): Promise<WorkspaceEntry> {
    this.#counts.load += 1;
    const startedAtMs = this.options.now();
    const load: Load = { startedAtMs, entry: this.options.load(workspaceId, startedAtMs) };
    this.#loads.set(workspaceId, load);
    try {
      const entry = await load.entry;
      const newest = this.#entries.get(workspaceId);
      if (!newest || newest.requestedAtMs <= startedAtMs) this.#entries.set(workspaceId, entry);
      return entry;
    } finally {
      if (this.#loads.get(workspaceId) === load) this.#loads.delete(workspaceId);
    }
  }
}
