/**
 * Logs why grants were refused, once per cause and minute: a mistake in the set-up refuses every workflow, and many log
 * lines would say no more than one.
 */
import type { Logger } from '@temporalio/common';
import type { GrantRefusal, RefusalCause } from '../grants/grant-refusal.js';
import type { Reporter } from '../observer/observer.js';
import type { GrantKind } from '../protocol/grants.js';

const QUIET_MS = 60_000;

export class RefusalLog {
  readonly #logged = new Map<RefusalCause, { readonly atMs: number; unlogged: number }>();

  /** @param observer - is told of every refusal, also of those that are not logged */
  constructor(private readonly observer: Pick<Reporter, 'report'>) {}

  /** @param log - the log of the activity, which adds the ids of the workflow */
  warn(log: Logger, kind: GrantKind, { cause, message, facts }: GrantRefusal): void {
    this.observer.report({ what: 'grant-refused', kind, cause });
    const last = this.#logged.get(cause);
    if (last && performance.now() - last.atMs < QUIET_MS) {
      last.unlogged += 1;
      return;
    }
    this.#logged.set(cause, { atMs: performance.now(), unlogged: 0 });
    const repeated = last?.unlogged ? { refusedSinceLastLog: last.unlogged } : {};
    log.warn(`a ${kind} grant was refused: ${message}`, { ...facts, ...repeated });
  }
}
