/**
 * Bounds how many steps of one workspace run in this process at the same time, so that a workspace whose services are
 * slow does not occupy every slot of a worker. A step that waits has a slot too: only as many wait as may run, and only
 * for a short time. Temporal retries the others.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { ProviderError } from '../protocol/errors.js';

/** How long a step waits for its turn: shorter than any heartbeat timeout of this package's steps. */
const LONGEST_WAIT_MS = 5_000;

interface Turns {
  running: number;
  readonly waiting: Set<() => void>;
}

export class StepLimiter {
  readonly #turns = new Map<string, Turns>();
  /** The workspaces that the running code has a turn of. A step within a step needs no second turn. */
  readonly #held = new AsyncLocalStorage<ReadonlySet<string>>();

  constructor(
    /** The number of steps of one workspace that run at the same time, and of those that wait. */
    private readonly stepsPerWorkspace: number,
    private readonly longestWaitMs = LONGEST_WAIT_MS,
  ) {}

  /** @throws ProviderError `ProviderRateLimited` if the workspace has too many steps; what `signal` was aborted with */
  async run<Result>(workspaceId: string, signal: AbortSignal, step: () => Promise<Result>): Promise<Result> {
    const held = this.#held.getStore();
    if (held?.has(workspaceId)) return step();
    const turns = this.#turns.get(workspaceId) ?? { running: 0, waiting: new Set() };
    this.#turns.set(workspaceId, turns);
    if (turns.running < this.stepsPerWorkspace) turns.running += 1;
    else await this.#wait(workspaceId, turns, signal);
    try {
      return await this.#held.run(new Set([...(held ?? []), workspaceId]), step);
    } finally {
      this.#release(workspaceId, turns);
    }
  }

  /** A turn that ends is passed on to the step that has waited longest. */
  #release(workspaceId: string, turns: Turns): void {
    const [next] = turns.waiting;
    if (next) {
      turns.waiting.delete(next);
      next();
      return;
    }
    turns.running -= 1;
    if (turns.running === 0) this.#turns.delete(workspaceId);
  }

  #wait(workspaceId: string, { waiting }: Turns, signal: AbortSignal): Promise<void> {
    if (waiting.size >= this.stepsPerWorkspace) throw this.#tooMany(workspaceId);
    return new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        waiting.delete(turn);
        settle();
      };
      const turn = () => end(resolve);
      const aborted = () => end(() => reject(signal.reason as Error));
      const timer = setTimeout(() => end(() => reject(this.#tooMany(workspaceId))), this.longestWaitMs);
      signal.addEventListener('abort', aborted);
      waiting.add(turn);
      if (signal.aborted) aborted();
    });
  }

  #tooMany(workspaceId: string): ProviderError {
    const message =
      `${workspaceId} has ${this.stepsPerWorkspace} steps running in this worker, as many as a workspace may: ` +
      'Temporal retries this one (PROVIDER_STEPS_PER_WORKSPACE)';
    return new ProviderError('ProviderRateLimited', message);
  }
}
