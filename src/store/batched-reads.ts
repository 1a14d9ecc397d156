/**
 * Reads of single workspaces that share statements when there are many at once, as after a deployment: twenty in one
 * statement take a fifth of the time that twenty statements do. A read is never delayed for that. It is sent at once if
 * few are under way, and otherwise with the others that wait for one of these to end.
 */
import type { WorkspaceSnapshot } from './ports.js';

/** Few: a batch uses one connection, and other statements of the process need some too. */
const MOST_STATEMENTS = 4;
/** A larger batch is hardly faster, and one workspace's large rows would delay more others. */
const LARGEST_BATCH = 20;

interface Waiting {
  readonly workspaceId: string;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (snapshot: WorkspaceSnapshot) => void;
  readonly reject: (error: unknown) => void;
}

export class BatchedReads {
  readonly #waiting: Waiting[] = [];
  #statements = 0;

  /** @param send - reads the workspaces with one statement, in one snapshot. Returns them in the order of the ids */
  constructor(
    private readonly send: (
      workspaceIds: readonly string[],
      signal: AbortSignal | undefined,
    ) => Promise<readonly WorkspaceSnapshot[]>,
  ) {}

  /** The snapshot is taken after the call. @param signal - if aborted, the whole batch fails */
  read(workspaceId: string, signal?: AbortSignal): Promise<WorkspaceSnapshot> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ workspaceId, signal, resolve, reject });
      if (this.#statements < MOST_STATEMENTS) void this.#sendBatches();
    });
  }

  async #sendBatches(): Promise<void> {
    this.#statements += 1;
    for (let batch = this.#waiting.splice(0, LARGEST_BATCH); batch.length > 0; ) {
      await this.#sendBatch(batch);
      batch = this.#waiting.splice(0, LARGEST_BATCH);
    }
    this.#statements -= 1;
  }

  async #sendBatch(batch: readonly Waiting[]): Promise<void> {
    const signals = batch.flatMap(({ signal }) => signal ?? []);
    try {
      const snapshots = await this.send(
        batch.map(({ workspaceId }) => workspaceId),
        signals.length > 1 ? AbortSignal.any(signals) : signals[0],
      );
      for (const [index, { resolve }] of batch.entries()) resolve(snapshots[index] as WorkspaceSnapshot);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
