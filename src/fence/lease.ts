/**
 * The lease: the right to answer from the cache. A change is reported as done only when every worker with an older
 * lease has applied the change, or its lease has run out. So an answer that is given under a lease is never older than
 * a change that was reported as done. Each method is one rule of this protocol (docs/fence.md), and none can be left
 * out.
 */
import { type Clock, systemClock } from './clock.js';

/** How long a worker may answer from its cache without hearing from the database, unless a setting changes it. */
export const DEFAULT_LEASE_MS = 30_000;

/** A point in time, by both clocks. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** When and in which lineage of the database something was read. */
export interface Snapshot {
  readonly epoch: number;
  readonly lineage?: string | undefined;
}

export class Lease {
  #appliedEpoch = 0;
  #lineage: string | undefined;
  #untilMonotonicMs = Number.NEGATIVE_INFINITY;
  #untilWallMs = Number.NEGATIVE_INFINITY;

  constructor(
    /** How long a renewal holds, in milliseconds. */
    readonly leaseMs: number,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The newest epoch whose changes have left the cache. */
  get appliedEpoch(): number {
    return this.#appliedEpoch;
  }

  /** Whether the cache may answer now. */
  isHeld(): boolean {
    return this.clock.monotonicMs() < this.#untilMonotonicMs && this.clock.wallMs() < this.#untilWallMs;
  }

  /**
   * Whether a load may enter the cache: an older snapshot may lack a change that was already applied, and the epoch of
   * another lineage says nothing.
   */
  admits({ epoch, lineage }: Snapshot): boolean {
    return epoch >= this.#appliedEpoch && lineage === this.#lineage;
  }

  /** Whether another caller's load, which may have begun before this caller asked, may answer this caller now. */
  vouchesFor(snapshot: Snapshot): boolean {
    return this.isHeld() && this.admits(snapshot);
  }

  now(): Instant {
    return { monotonicMs: this.clock.monotonicMs(), wallMs: this.clock.wallMs() };
  }

  /** Called when the worker has registered and its cache is empty. Nothing is applied yet. */
  begin(lineage: string): void {
    this.lose();
    this.#lineage = lineage;
    this.#appliedEpoch = 0;
  }

  /** Called after the changes up to this epoch have left the cache, and not before. */
  apply(epoch: number): void {
    this.#appliedEpoch = Math.max(this.#appliedEpoch, epoch);
  }

  /** Extends the lease from when the renewal was sent: a fence may begin to count before the renewal is answered. */
  extend(sentAt: Instant): void {
    this.#untilMonotonicMs = Math.max(this.#untilMonotonicMs, sentAt.monotonicMs + this.leaseMs);
    this.#untilWallMs = sentAt.wallMs + this.leaseMs;
  }

  /** Ends the lease. The worker must register again, and renew, to get it back. */
  lose(): void {
    this.#untilMonotonicMs = Number.NEGATIVE_INFINITY;
    this.#untilWallMs = Number.NEGATIVE_INFINITY;
  }
}
