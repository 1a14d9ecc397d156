/**
 * The worker-local cache: workspaces, each with all its providers, so that one query serves every step of an agent. It
 * answers under a lease and not without one; what enters it, and who may take somebody else's load, the lease decides
 * by the epoch of the snapshot. `lru-cache`'s own TTL would not do: it serves expired entries after a pause.
 */
import { LRUCache } from 'lru-cache';
import type { Lease } from '../fence/lease.js';
import type { CacheOutcome } from '../protocol/references.js';
import type { WorkspaceEntry } from './workspace-entry.js';

export interface WorkspaceCacheOptions {
  /** Reads the database. Its failures reach the callers that wait for it and are not cached. */
  readonly load: (workspaceId: string) => Promise<WorkspaceEntry>;
  readonly lease: Lease;
  /** How many providers are held at most; the least recently used workspaces go first. */
  readonly maxProviders: number;
}

/** What the cache did since the process started. */
export interface CacheCounts {
  /** Answered from an entry. */
  readonly hit: number;
  /** Answered by a load of the caller's own. */
  readonly miss: number;
  /** Answered by somebody else's load. */
  readonly joined: number;
  /** Of the misses, those where an entry was there and did not show what the caller had learned: a newer version. */
  readonly reloaded: number;
  /** Of the misses, those where an entry was there and no lease was held. */
  readonly refusedByLease: number;
  /** Loads sent to the database. */
  readonly load: number;
}

export interface CacheRead {
  readonly entry: WorkspaceEntry;
  readonly cache: CacheOutcome;
}

interface Load {
  /** Rises with each load. */
  readonly number: number;
  readonly entry: Promise<WorkspaceEntry>;
}

/** In leases: how long an entry stays at most, so that no credential is in memory because nobody asks for it. */
const LONGEST_STAY = 10;

export class WorkspaceCache {
  readonly #entries: LRUCache<string, WorkspaceEntry>;
  readonly #loads = new Map<string, Load>();
  readonly #counts = { hit: 0, miss: 0, joined: 0, reloaded: 0, refusedByLease: 0, load: 0 };

  constructor(private readonly options: WorkspaceCacheOptions) {
    this.#entries = new LRUCache({ maxSize: options.maxProviders, sizeCalculation: (entry) => entry.size });
  }

  get counts(): CacheCounts {
    return { ...this.#counts };
  }

  /** The entry, if a lease is held. Synchronous; counts nothing. */
  peek(workspaceId: string): WorkspaceEntry | undefined {
    const entry = this.#entries.get(workspaceId);
    return entry !== undefined && this.options.lease.isHeld() ? entry : undefined;
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
    const calledAtLoad = this.#counts.load;
    const cached = this.peek(workspaceId);
    if (cached && accepts(cached)) {
      this.#counts.hit += 1;
      return { entry: cached, cache: 'hit' };
    }
    if (cached) this.#counts.reloaded += 1;
    else if (this.#entries.has(workspaceId)) this.#counts.refusedByLease += 1;
    let inFlight = this.#loads.get(workspaceId);
    while (inFlight) {
      const entry = await inFlight.entry;
      // One that began after the call is as good as the caller's own; an older one needs the lease's word.
      if (inFlight.number > calledAtLoad || (this.options.lease.vouchesFor(entry.epoch) && accepts(entry))) {
        this.#counts.joined += 1;
        return { entry, cache: 'joined' };
      }
      inFlight = this.#loads.get(workspaceId);
    }
    this.#counts.miss += 1;
    return { entry: await this.#load(workspaceId), cache: 'miss' };
  }

  /**
   * Takes out what changed up to that epoch, unless it was read since: loads that are under way are kept out by theirs.
   */
  invalidate(workspaceIds: readonly string[], epoch: number): void {
    for (const workspaceId of workspaceIds) {
      const entry = this.#entries.peek(workspaceId);
      if (entry && entry.epoch < epoch) this.#entries.delete(workspaceId);
    }
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Lets go of what has been there long. */
  sweep(): void {
    const { lease } = this.options;
    const oldestMs = lease.now().monotonicMs - LONGEST_STAY * lease.leaseMs;
    for (const [workspaceId, entry] of this.#entries.entries()) {
      if (entry.loadedAtMs <= oldestMs) this.#entries.delete(workspaceId);
    }
  }

  async #load(workspaceId: string): Promise<WorkspaceEntry> {
    this.#counts.load += 1;
    const load: Load = { number: this.#counts.load, entry: this.options.load(workspaceId) };
    this.#loads.set(workspaceId, load);
    try {
      const entry = await load.entry;
      const newest = this.#entries.get(workspaceId);
      if (this.options.lease.admits(entry.epoch) && (!newest || newest.epoch <= entry.epoch)) {
        this.#entries.set(workspaceId, entry);
      }
      return entry;
    } finally {
      if (this.#loads.get(workspaceId) === load) this.#loads.delete(workspaceId);
    }
  }
}
