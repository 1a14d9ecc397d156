/**
 * The observations of a fault run, small enough to keep: for hundreds of millions of reads, only the last invocation
 * and the first return per reader, key and version. That is enough: versions are unique and only rise, so there is a
 * stale read exactly if the *last* one invoked is stale. All of it is plain JSON, for IPC and for a file.
 *
 * All times are of one clock: `process.hrtime.bigint()` is CLOCK_MONOTONIC, the same for all processes of a host.
 */

/** A time of the host's monotonic clock in ns, as decimal digits, because JSON has no bigint. */
export type Instant = string;

export const now = (): Instant => String(process.hrtime.bigint());

/** All reads of one reader that returned one version of one key. An absent or disabled provider has a version too. */
export interface Observation {
  readonly key: string;
  readonly version: number;
  readonly reads: number;
  /** The read that was invoked last, and when it returned. */
  readonly lastInvokedAt: Instant;
  readonly lastReturnedAt: Instant;
  /** The read that returned first, and when it was invoked. */
  readonly firstInvokedAt: Instant;
  readonly firstReturnedAt: Instant;
}

/** One worker process, from its start to its end. Each report contains everything since the start. */
export interface ReaderReport {
  /** Unique to the process, so that a restarted process is another reader. */
  readonly reader: string;
  readonly observations: readonly Observation[];
  /** Reads that returned no version, by failure type. */
  readonly failures: Readonly<Record<string, number>>;
}

/** The versions that the steps of one workflow used, in the workflow's order, on any worker. */
export interface WorkflowReport {
  readonly workflowId: string;
  readonly steps: readonly { readonly reader: string; readonly key: string; readonly version: number }[];
}

/** A rotation, or another change of a provider. */
export interface Change {
  /** Its workflow id, or another unique id. */
  readonly id: string;
  readonly key: string;
  readonly startedAt: Instant;
  /** When it was reported as ended, with any result. Absent if it never was. */
  readonly endedAt?: Instant;
  /** The version reported as done, after which no read may be older. Absent if it changed nothing. */
  readonly version?: number;
  /** Whether it removes the row. The version is then that of the absent row. */
  readonly removed?: boolean;
}

export interface History {
  readonly readers: readonly ReaderReport[];
  readonly workflows: readonly WorkflowReport[];
  readonly changes: readonly Change[];
  /** The rows in the database at the end. */
  readonly stored: readonly { readonly key: string; readonly version: number }[];
}

interface Seen {
  reads: number;
  lastInvokedAt: bigint;
  lastReturnedAt: bigint;
  firstInvokedAt: bigint;
  firstReturnedAt: bigint;
}

/** The reader's side, with two look-ups and three comparisons per read. */
export class ReadRecorder {
  readonly #keys = new Map<string, Map<number, Seen>>();
  readonly #failures = new Map<string, number>();
  /** The number of reads of each observation when it was last taken as news. */
  readonly #told = new Map<string, number>();

  constructor(private readonly reader: string) {}

  /** @param invokedAt - `process.hrtime.bigint()` before the read, and `returnedAt` after it */
  returned(key: string, version: number, invokedAt: bigint, returnedAt: bigint): void {
    const seen = this.#keys.get(key)?.get(version);
    if (seen) {
      seen.reads += 1;
      // Overlapping reads may return in another order than they were invoked in.
      if (invokedAt > seen.lastInvokedAt) {
        seen.lastInvokedAt = invokedAt;
        seen.lastReturnedAt = returnedAt;
      }
      if (returnedAt < seen.firstReturnedAt) {
        seen.firstInvokedAt = invokedAt;
        seen.firstReturnedAt = returnedAt;
      }
    } else {
      const versions = this.#keys.get(key) ?? new Map<number, Seen>();
      const first = { firstInvokedAt: invokedAt, firstReturnedAt: returnedAt };
      versions.set(version, { reads: 1, lastInvokedAt: invokedAt, lastReturnedAt: returnedAt, ...first });
      this.#keys.set(key, versions);
    }
  }

  failed(type: string): void {
    this.#failures.set(type, (this.#failures.get(type) ?? 0) + 1);
  }

  /** The report so far. Send it often, because a killed reader loses what it has not sent. */
  report(): ReaderReport {
    const observations = [...this.#keys].flatMap(([key, versions]) =>
      [...versions].map(([version, { reads, ...times }]) => ({ key, version, reads, ...instants(times) })),
    );
    return { reader: this.reader, observations, failures: Object.fromEntries(this.#failures) };
  }

  /** A report with only the observations that changed since the last call: the whole grows too large in a long run. */
  news(): ReaderReport {
    const { observations, ...rest } = this.report();
    const isNews = ({ key, version, reads }: Observation) => {
      const id = `${key} ${version}`;
      const told = this.#told.get(id);
      this.#told.set(id, reads);
      return told !== reads;
    };
    return { ...rest, observations: observations.filter(isNews) };
  }
}

function instants<Name extends string>(times: Readonly<Record<Name, bigint>>): Record<Name, Instant> {
  const entries = Object.entries<bigint>(times).map(([name, time]) => [name, String(time)]);
  return Object.fromEntries(entries) as Record<Name, Instant>;
}
