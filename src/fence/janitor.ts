/**
 * Saves the next fence the wait for workers that are gone. If a row's renewal stays the same for a whole lease, by the
 * janitor's own monotonic clock, its worker holds no lease. Only a manager may judge workers, so a janitor runs beside
 * each worker of rotations and schedules. It decides only by what it has seen itself, and its changes take effect only
 * if the row is still as it was seen.
 */
import type { RegisteredWorker, SeenWorker, WorkerRegistry } from '../store/ports.js';
import { type Clock, outlasting, systemClock } from './clock.js';

/** Two looks that are a lease apart judge a worker: looking more often costs a small query, and finds it sooner. */
const LOOK_EVERY_MS = 2_000;

interface Sighting extends SeenWorker {
  readonly state: RegisteredWorker['state'];
  readonly sinceMs: number;
}

export class Janitor {
  #sightings = new Map<string, Sighting>();

  constructor(
    private readonly registry: WorkerRegistry,
    private readonly clock: Pick<Clock, 'monotonicMs'> = systemClock,
  ) {}

  /**
   * Looks once. Marks live rows that were silent for a lease as vanished, and removes vanished rows whose steps can no
   * longer be running.
   *
   * @throws ProviderError `StoreUnavailable`
   */
  async look(): Promise<void> {
    const workers = await this.registry.listWorkers();
    // Taken after the answer, because a renewal that was sent before the query may have been granted until then.
    const nowMs = this.clock.monotonicMs();
    this.#sightings = new Map(workers.map((worker) => [worker.workerId, this.#sighting(worker, nowMs)]));
    const silent = (worker: RegisteredWorker, forMs: number) =>
      nowMs - (this.#sightings.get(worker.workerId)?.sinceMs ?? nowMs) >= outlasting(forMs);
    await this.registry.markVanished(
      workers.filter((worker) => worker.state === 'live' && silent(worker, worker.leaseMs)),
    );
    await this.registry.forgetWorkers(
      workers.filter((worker) => worker.state === 'vanished' && silent(worker, worker.longestStepMs)),
    );
  }

  /** Looks now and then. A look that fails is repeated like any other. @returns a function that ends it */
  start(): () => void {
    const looking = setInterval(() => void this.look().catch(() => {}), LOOK_EVERY_MS).unref();
    return () => clearInterval(looking);
  }

  #sighting({ workerId, renewal, state }: RegisteredWorker, nowMs: number): Sighting {
    const earlier = this.#sightings.get(workerId);
    if (earlier?.renewal === renewal && earlier.state === state) return earlier;
    return { workerId, renewal, state, sinceMs: nowMs };
  }
}
