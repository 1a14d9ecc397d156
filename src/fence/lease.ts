/**
 * The right to answer from the cache. Changes wait until every lease that was granted before them has run out or its
 * worker has applied them; so an answer that was given under a lease is never older than a change that was reported
 * done. Each method here is one rule of that protocol (docs/fence.md), and none can be left out.
 */
import { type Clock, systemClock } from './clock.js';

/** How long a worker may answer from its cache without news from the database, where no setting says so. */
export const DEFAULT_LEASE_MS = 30_000;

/** When something was sent, by both clocks. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export class Lease {
  #appliedEpoch = 0;
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

  /** Whether the cache may answer, at this instant. */
  isHeld(): boolean {
    return this.clock.monotonicMs() < this.#untilMonotonicMs && this.clock.wallMs() < this.#untilWallMs;
  }

  /** Whether what was loaded may enter the cache: an older snapshot may lack a change that was applied already. */
  admits(snapshotEpoch: number): boolean {
    return snapshotEpoch >= this.#appliedEpoch;
  }

  /** Whether somebody else's load, which may have begun before this caller asked, may answer it now. */
  vouchesFor(snapshotEpoch: number): boolean {
    return this.isHeld() && this.admits(snapshotEpoch);
  }

  now(): Instant {
    return { monotonicMs: this.clock.monotonicMs(), wallMs: this.clock.wallMs() };
  }

  /** After the changes up to that epoch have left the cache, and not before. */
  apply(epoch: number): void {
    this.#appliedEpoch = Math.max(this.#appliedEpoch, epoch);
  }

  /** From when the renewal was sent, not from when it was answered: the fence counts from before that. */
  extend(sentAt: Instant): void {
    this.#untilMonotonicMs = Math.max(this.#untilMonotonicMs, sentAt.monotonicMs + this.leaseMs);
    this.#untilWallMs = sentAt.wallMs + this.leaseMs;
  }

  /** Final, until the worker has registered anew and renewed. */
  lose(): void {
    this.#untilMonotonicMs = Number.NEGATIVE_INFINITY;
    this.#untilWallMs = Number.NEGATIVE_INFINITY;
  }
}
