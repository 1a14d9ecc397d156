/**
 * What a fault run saw, small enough to keep all of it: of hundreds of millions of reads, for each reader, key and
 * version the last invocation and the first return. No more is needed: versions are unique and only rise, so a stale
 * read exists where the *last* one invoked is stale. All of it is plain JSON, for IPC and for a file.
 *
 * Rests on one clock: `process.hrtime.bigint()` is CLOCK_MONOTONIC, the same for all processes of a host.
 */

/** Of the host's monotonic clock, in ns, as decimal digits: JSON has no bigint. */
export type Instant = string;

export const now = (): Instant => String(process.hrtime.bigint());

/** All reads of one reader that returned one version of one key. An absent or disabled provider has a version too. */
export interface Observation {
  readonly key: string;
  readonly version: number;
  readonly reads: number;
  readonly lastInvokedAt: Instant;
  readonly firstReturnedAt: Instant;
}

/** One worker process, from its start to its end; each report holds all since the start. */
export interface ReaderReport {
  /** Unique to the process: one that was killed and started again is another reader. */
  readonly reader: string;
  readonly observations: readonly Observation[];
  /** Reads that returned no version, by failure type. */
  readonly failures: Readonly<Record<string, number>>;
}

/** What the steps of one workflow used, in the workflow's order, whoever ran them. */
export interface WorkflowReport {
  readonly workflowId: string;
  readonly steps: readonly { readonly reader: string; readonly key: string; readonly version: number }[];
}

/** A rotation, or another change of a provider. */
export interface Change {
  /** Its workflow id, or what else tells it from others. */
  readonly id: string;
  readonly key: string;
  readonly startedAt: Instant;
  /** When it was reported to be over, whatever came of it. Absent: never. */
  readonly endedAt?: Instant;
  /** Reported done: from then on nobody is to read an older one. Absent: it ended and changed nothing. */
  readonly version?: number;
  /** Whether it takes the row away; the version is then the one that its absence has. */
  readonly removed?: boolean;
}

export interface History {
  readonly readers: readonly ReaderReport[];
  readonly workflows: readonly WorkflowReport[];
  readonly changes: readonly Change[];
  /** In the database at the end. */
  readonly stored: readonly { readonly key: string; readonly version: number }[];
}

interface Seen {
  reads: number;
  lastInvokedAt: bigint;
  firstReturnedAt: bigint;
}

/** The reader's side: two look-ups and three comparisons a read. */
export class ReadRecorder {
  readonly #keys = new Map<string, Map<number, Seen>>();
  readonly #failures = new Map<string, number>();

  constructor(private readonly reader: string) {}

  /** @param invokedAt - `process.hrtime.bigint()` before the read, and `returnedAt` after it */
  returned(key: string, version: number, invokedAt: bigint, returnedAt: bigint): void {
    const seen = this.#keys.get(key)?.get(version);
    if (seen) {
      seen.reads += 1;
      // Reads overlap: they need not return in the order in which they were invoked.
      if (invokedAt > seen.lastInvokedAt) seen.lastInvokedAt = invokedAt;
      if (returnedAt < seen.firstReturnedAt) seen.firstReturnedAt = returnedAt;
    } else {
      const versions = this.#keys.get(key) ?? new Map<number, Seen>();
      this.#keys.set(key, versions.set(version, { reads: 1, lastInvokedAt: invokedAt, firstReturnedAt: returnedAt }));
    }
  }

  failed(type: string): void {
    this.#failures.set(type, (this.#failures.get(type) ?? 0) + 1);
  }

  /** All so far. To be sent now and then: what a killed reader has not sent is lost. */
  report(): ReaderReport {
    const observations = [...this.#keys].flatMap(([key, versions]) =>
      [...versions].map(([version, { reads, lastInvokedAt, firstReturnedAt }]) => ({
        ...{ key, version, reads },
        ...{ lastInvokedAt: String(lastInvokedAt), firstReturnedAt: String(firstReturnedAt) },
      })),
    );
    return { reader: this.reader, observations, failures: Object.fromEntries(this.#failures) };
  }
}
