/**
 * The worker-local cache of workspaces, each with all its providers, so that one query serves every step of an agent.
 * It answers only under a lease. By the epoch of a snapshot, the lease decides whether the snapshot may enter the
 * cache, and whether a caller may use the load that another caller started. The TTL of `lru-cache` is not enough: it
 * serves expired entries after a pause.
 */
import { LRUCache } from 'lru-cache';
import type { Lease } from '../fence/lease.js';
import type { CacheOutcome, ProviderReference } from '../protocol/references.js';
import { WarmAnswers } from './warm-answers.js';
import type { WorkspaceEntry } from './workspace-entry.js';

/** One answer for several callers. */
export interface JoinedAnswer {
  readonly reference: Promise<ProviderReference>;
  /** How many callers wait for it besides the one who asked first. */
  followers: number;
}

export interface WorkspaceCacheOptions {
  /** Reads the database. Its failures reach the callers that wait for it and are not cached. */
  readonly load: (workspaceId: string) => Promise<WorkspaceEntry>;
  readonly lease: Lease;
  /**
   * The largest number of providers that are held. Workspaces that were not used since the last loads are evicted first.
   */
  readonly maxProviders: number;
}

/** What the cache did since the process started. */
export interface CacheCounts {
  /** Answered from an entry. */
  readonly hit: number;
  /** Answered by a load that the caller started. */
  readonly miss: number;
  /** Answered by a load that another caller started. */
  readonly joined: number;
  /** Misses although there was an entry: it did not show what the caller had learned, such as a newer version. */
  readonly reloaded: number;
  /** Misses although there was an entry: no lease was held. */
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
  /** What its callers share, by what they asked for. */
  readonly answers: Map<string, JoinedAnswer>;
}

/** The longest stay of an entry, in leases: a credential that nobody asks for must not remain in memory. */
const LONGEST_STAY = 10;

export class WorkspaceCache {
  /** What `#recency` holds. A read looks here, because a look-up that also moves the entry in a list takes twice as long. */
  readonly #entries = new WarmAnswers();
  /** Decides which entries stay. */
  readonly #recency: LRUCache<string, WorkspaceEntry>;
  readonly #loads = new Map<string, Load>();
  readonly #counts = { hit: 0, miss: 0, joined: 0, reloaded: 0, refusedByLease: 0, load: 0 };

  constructor(private readonly options: WorkspaceCacheOptions) {
    this.#recency = new LRUCache({
      maxSize: options.maxProviders,
      sizeCalculation: (entry) => entry.size,
      onInsert: (entry, workspaceId) => this.#entries.set(workspaceId, entry),
      dispose: (_, workspaceId) => this.#entries.delete(workspaceId),
    });
  }

  get counts(): CacheCounts {
    return { ...this.#counts };
  }

  /** The entry, if a lease is held. Synchronous; counts nothing. */
  peek(workspaceId: string): WorkspaceEntry | undefined {
    const slot = this.#readableSlot(workspaceId);
    return slot === undefined ? undefined : this.#entries.entryAt(slot);
  }

  /** The answer of a provider that is active and opened, if a lease is held. Synchronous; counts a hit. */
  warm(workspaceId: string, type: string, name: string): ProviderReference | undefined {
    const slot = this.#readableSlot(workspaceId);
    if (slot === undefined) return undefined;
    const answer = this.#entries.answerAt(slot, type, name);
    if (answer !== undefined) this.#counts.hit += 1;
    return answer;
  }

  #readableSlot(workspaceId: string): number | undefined {
    const slot = this.#entries.slotOf(workspaceId);
    if (slot === undefined || !this.options.lease.isHeld()) return undefined;
    // Nothing is evicted between two loads, so the first use after a load is enough to tell what is in use.
    if (this.#entries.noteUse(slot, this.#counts.load)) this.#recency.get(workspaceId);
    return slot;
  }

  /** Whether the cache may answer now. */
  isLeaseHeld(): boolean {
    return this.options.lease.isHeld();
  }

  countHit(): void {
    this.#counts.hit += 1;
  }

  countJoined(callers: number): void {
    this.#counts.joined += callers;
  }

  /** The load of the workspace that has not ended. */
  loadUnderWay(workspaceId: string): Pick<Load, 'answers'> | undefined {
    return this.#loads.get(workspaceId);
  }

  /**
   * Returns an entry that the caller accepts: the cached one, or that of a load in progress, or a fresh one, which is
   * returned whatever it contains. A caller that has learned something new (a newer version exists, a key was refused)
   * accepts only entries that show it, and so never gets the answer of a load that began too early.
   */
  async read(workspaceId: string, accepts: (entry: WorkspaceEntry) => boolean): Promise<CacheRead> {
    const calledAtLoad = this.#counts.load;
    const cached = this.peek(workspaceId);
    if (cached && accepts(cached)) {
      this.#counts.hit += 1;
      return { entry: cached, cache: 'hit' };
    }
    if (cached) this.#counts.reloaded += 1;
    else if (this.#entries.slotOf(workspaceId) !== undefined) this.#counts.refusedByLease += 1;
    let inFlight = this.#loads.get(workspaceId);
    while (inFlight) {
      const entry = await inFlight.entry;
      // A load that began after the call is as good as the caller's own. An older one needs the lease to vouch for it.
      if (inFlight.number > calledAtLoad || (this.options.lease.vouchesFor(entry) && accepts(entry))) {
        this.#counts.joined += 1;
        return { entry, cache: 'joined' };
      }
      inFlight = this.#loads.get(workspaceId);
    }
    this.#counts.miss += 1;
    return { entry: await this.#load(workspaceId), cache: 'miss' };
  }

  /**
   * Removes workspaces that changed up to that epoch, unless they were read since. The epoch of a load in progress
   * keeps it out of the cache.
   */
  invalidate(workspaceIds: readonly string[], epoch: number): void {
    for (const workspaceId of workspaceIds) {
      const entry = this.#recency.peek(workspaceId);
      if (entry && entry.epoch < epoch) this.#recency.delete(workspaceId);
    }
  }

  clear(): void {
    this.#recency.clear();
  }

  /** Drops the entries that have reached their longest stay. */
  sweep(): void {
    const { lease } = this.options;
    const oldestMs = lease.now().monotonicMs - LONGEST_STAY * lease.leaseMs;
    for (const [workspaceId, entry] of [...this.#recency.entries()]) {
      if (entry.loadedAtMs <= oldestMs) this.#recency.delete(workspaceId);
    }
  }

  async #load(workspaceId: string): Promise<WorkspaceEntry> {
    this.#counts.load += 1;
    const load: Load = { number: this.#counts.load, entry: this.options.load(workspaceId), answers: new Map() };
    this.#loads.set(workspaceId, load);
    try {
      const entry = await load.entry;
      const newest = this.#recency.peek(workspaceId);
      if (this.options.lease.admits(entry) && (!newest || newest.epoch <= entry.epoch)) {
        this.#recency.set(workspaceId, entry);
      }
      return entry;
    } finally {
      if (this.#loads.get(workspaceId) === load) this.#loads.delete(workspaceId);
    }
  }
}
