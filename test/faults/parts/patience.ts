/** Retries a call until it succeeds, because servers are unavailable for a while and come back. */
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 200;

/** @throws the last failure, after `signal` is aborted */
export async function untilItWorks<Result>(
  run: () => Promise<Result>,
  signal?: AbortSignal,
  pauseMs: number = PAUSE_MS,
): Promise<Result> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (signal?.aborted) throw error;
      await delay(pauseMs);
    }
  }
}
