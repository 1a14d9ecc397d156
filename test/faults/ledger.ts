/** Collects what happens in a fault run, and judges it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { HistoryFile } from './history.js';
import { type FromReader, REQUESTS, type SeenCredential } from './messages.js';
import { check, describeFindings, type Verdict } from './parts/checker.js';
import { type Change, type History, now, type Observation, type WorkflowReport } from './parts/observations.js';

/** In strikes. */
const MOST_AHEAD = 2;

type Open = { -readonly [Field in keyof Change]: Change[Field] };

interface Seen {
  readonly observations: Map<string, Observation>;
  failures: Readonly<Record<string, number>>;
}

export class Ledger {
  readonly faults: Record<string, number> = {};
  readonly workflows: WorkflowReport[] = [];
  /** Problems other than the findings of the checker. */
  readonly oddities: string[] = [];
  readonly fenceMs: number[] = [];
  /** How often each kind must strike, if that is possible until `latestEndMs`. */
  leastStrikes = 1;
  latestEndMs = Number.POSITIVE_INFINITY;
  rotations = 0;
  /** Steps that make requests for 20 to 40 seconds, attempts included, and how often one of them went on with a newer version. */
  readonly longSteps = { begun: 0, newerVersions: 0 };
  /** Reads of the workers whose database fails. */
  databaseReads = 0;
  /** How long it took until every worker had reported a fault of its database. */
  readonly reportMs: number[] = [];
  readonly #faultMs = new Map<string, number[]>();
  readonly #readers = new Map<string, Seen>();
  readonly #changes: Open[] = [];
  readonly #credentials = new Map<string, SeenCredential>();

  /**
   * @param kinds - all kinds of faults of the run. Default: none is ahead of another
   * @param history - where the run's history is written. Default: nowhere
   */
  constructor(
    private readonly kinds: readonly string[] = [],
    private readonly history?: HistoryFile,
  ) {}

  /** Records the start of a change. */
  begin(id: string, key: string): Open {
    const change: Open = { id: `${id} (${this.#changes.length})`, key, startedAt: now() };
    this.#changes.push(change);
    return change;
  }

  /** Records the end of a change. @param version - absent if it changed nothing */
  end(change: Open, version?: number): void {
    change.endedAt = now();
    if (version !== undefined) change.version = version;
  }

  /** @param tookMs - with the recovery from it */
  countFault(kind: string, tookMs: number): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    this.#faultMs.set(kind, [...(this.#faultMs.get(kind) ?? []), tookMs]);
  }

  /** Whether one of these kinds must strike again before the run may end. */
  isShortOf(kinds: readonly string[]): boolean {
    return performance.now() < this.latestEndMs && kinds.some((kind) => (this.faults[kind] ?? 0) < this.leastStrikes);
  }

  /** Waits while these kinds are far ahead of others: all share two cores, and each kind must get its turn. */
  async awaitTurn(kinds: readonly string[]): Promise<void> {
    const least = (among: readonly string[]) => Math.min(...among.map((kind) => this.faults[kind] ?? 0));
    while (this.isShortOf(this.kinds) && least(kinds) >= least(this.kinds) + MOST_AHEAD) await delay(100);
  }

  /** The median time that a fault of each kind took, with the recovery from it. */
  get faultMs(): Readonly<Record<string, number>> {
    const median = (times: readonly number[]) => Math.round(times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0);
    return Object.fromEntries([...this.#faultMs].map(([kind, times]) => [kind, median(times)]));
  }

  get reads(): number {
    return this.#readsOf(() => true);
  }

  /** The requests of long steps that were answered. */
  get requests(): number {
    return this.#readsOf((reader) => reader.endsWith(REQUESTS));
  }

  #readsOf(isCounted: (reader: string) => boolean): number {
    return [...this.#readers]
      .filter(([reader]) => isCounted(reader))
      .flatMap(([, { observations }]) => [...observations.values()])
      .reduce((sum, { reads }) => sum + reads, 0);
  }

  take(message: FromReader): void {
    if (message.is === 'worker-failed') this.oddities.push(`a Temporal worker failed: ${message.message}`);
    if (message.is === 'long-step') this.longSteps[message.what === 'begun' ? 'begun' : 'newerVersions'] += 1;
    if (message.is !== 'report') return;
    const { reader, observations, failures } = message.report;
    const seen: Seen = this.#readers.get(reader) ?? { observations: new Map(), failures };
    this.#readers.set(reader, seen);
    for (const observation of observations) {
      seen.observations.set(`${observation.key} ${observation.version}`, observation);
      this.history?.read(reader, observation);
    }
    seen.failures = failures;
    for (const credential of message.credentials) this.#compare(credential, reader);
  }

  /** Completes the history. Call it after the last report. */
  async writeHistory(): Promise<void> {
    await this.history?.end(this.#changes);
  }

  judge(stored: History['stored']): { readonly verdict: Verdict; readonly findings: readonly string[] } {
    const readers = [...this.#readers].map(([reader, { observations, failures }]) => {
      return { reader, observations: [...observations.values()], failures };
    });
    const verdict = check({ readers, workflows: this.workflows, changes: this.#changes, stored });
    return { verdict, findings: [...describeFindings(verdict), ...this.oddities] };
  }

  /** A version of a provider has one credential, so a reader that saw another one got a wrong version. */
  #compare(seen: SeenCredential, reader: string): void {
    const id = `${seen.key} ${seen.version}`;
    const known = this.#credentials.get(id);
    this.#credentials.set(id, seen);
    if (known && known.serial !== seen.serial) {
      this.oddities.push(`credential: ${reader} got ${id} with credential ${seen.serial}, others with ${known.serial}`);
    }
  }
}
