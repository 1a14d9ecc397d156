/**
 * The time that a model has. A call that ends by a time-out after the model began to work is paid, and most often the
 * next one ends in the same way: it is repeated once, in case the service hung, and then the step fails for good. The
 * number of such calls is in the heartbeats, so that the next attempt knows it.
 */
import { Context } from '@temporalio/activity';
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderReference } from '../protocol/references.js';
import { answerOf } from '../providers/answers/service-answer.js';
import type { Report } from './run-activity.js';

/**
 * The step ends itself so long before Temporal would, which knows nothing of what was paid: a twentieth of its time, but
 * at most 15 s, and at least a second, or a quarter of its time if it has less than four. A timer may be late.
 */
function marginMs(hasMs: number): number {
  return Math.min(15_000, Math.max(hasMs / 20, Math.min(1_000, hasMs / 4)));
}

/** A model that was asked longer ago has worked. Sooner, it was the service or a gateway that did not. */
const WORKED_AFTER_MS = 30_000;
/** The number of calls of a step that may end by a time-out: the second one is the last. */
const MAX_TIMED_OUT_CALLS = 2;

/** Statuses of a service or a gateway that waited for the model in vain. */
const TIMEOUT_STATUSES: ReadonlySet<number | undefined> = new Set([408, 499, 504, 524]);
/** A connection that ended while it waited. A connection that was never made is another matter. */
const BROKEN = /^(TIMEOUT|UND_ERR_(HEADERS_TIMEOUT|BODY_TIMEOUT|SOCKET)|ECONNRESET|EPIPE)$/;

/** What the heartbeats of a step contain: numbers only. */
interface Progress {
  /** The characters of a stream that have come in. */
  readonly receivedCharacters?: number;
  /** The calls of this step, in all of its attempts, that ended by a time-out after the model began to work. */
  readonly timedOutCalls: number;
}

export class StepTime {
  readonly #endsAtMs: number | undefined;
  #progress: Progress;

  /** @param signal - the activity's */
  constructor(
    readonly signal: AbortSignal,
    private readonly report: Report,
  ) {
    const { startToCloseTimeoutMs: hasMs, heartbeatDetails } = Context.current().info;
    if (hasMs > 0) this.#endsAtMs = performance.now() + hasMs - marginMs(hasMs);
    const before = (heartbeatDetails as Partial<Progress> | undefined)?.timedOutCalls;
    this.#progress = { timedOutCalls: typeof before === 'number' ? before : 0 };
  }

  readonly onProgress = (receivedCharacters: number): void => {
    this.#progress = { ...this.#progress, receivedCharacters };
    this.report(this.#progress);
  };

  /**
   * Runs one call within the time that the step has left.
   *
   * @throws ProviderError `ProviderUnavailable` for the first call that ends by a time-out after the model began to
   *   work, and `AnswerUnusable` for the second; other errors unchanged
   */
  async ofCall<Result>(
    ref: ProviderReference,
    signal: AbortSignal,
    call: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const startedAtMs = performance.now();
    const leftMs = this.#endsAtMs === undefined ? undefined : Math.max(0, Math.floor(this.#endsAtMs - startedAtMs));
    const end = leftMs === undefined ? undefined : AbortSignal.timeout(leftMs);
    try {
      return await call(end ? AbortSignal.any([signal, end]) : signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const isOver = end?.aborted === true;
      const tookMs = performance.now() - startedAtMs;
      if (isOver || (tookMs >= WORKED_AFTER_MS && isTimeOut(error))) throw this.#timedOut(ref, isOver, tookMs);
      throw error;
    }
  }

  #timedOut(ref: ProviderReference, isOver: boolean, tookMs: number): ProviderError {
    const timedOutCalls = this.#progress.timedOutCalls + 1;
    this.#progress = { ...this.#progress, timedOutCalls };
    this.report(this.#progress);
    Context.current().heartbeat(this.#progress);
    const who = describeProvider(ref);
    const seconds = Math.round(tookMs / 1000);
    const what = isOver ? `did not end within the ${seconds} s that the step has` : `broke after ${seconds} s`;
    if (timedOutCalls < MAX_TIMED_OUT_CALLS) {
      return new ProviderError('ProviderUnavailable', `the answer of ${who} ${what}: it is asked once more`, {
        provider: ref,
      });
    }
    const advice =
      'ask for less, lower `reasoningEffort`, set `stream`, or give the step a longer `startToCloseTimeout`';
    const message = `the answer of ${who} ${what}, as the one before. Each call is paid, so it is not asked again: ${advice}`;
    return new ProviderError('AnswerUnusable', message, { provider: ref });
  }
}

function isTimeOut(error: unknown): boolean {
  const answer = answerOf(error);
  if (!answer) return false;
  // A stream that ends without its end has the status of its beginning.
  const isCut = answer.status === 200 && answer.text === '';
  return isCut || TIMEOUT_STATUSES.has(answer.status ?? -1) || BROKEN.test(answer.networkCode ?? '');
}
