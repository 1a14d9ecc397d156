/**
 * Runs the package's activities, and maps every error to the failure that Temporal stores. Client libraries put keys
 * and whole URLs into messages, stacks and causes, so a third-party error is never passed on: only its class is named.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import type { z } from 'zod';
import { isProviderError } from '../protocol/errors.js';
import { parseInput } from './parse-input.js';

/** A bug is not an outage: retries end after this many attempts. */
const UNEXPECTED_ERROR_ATTEMPTS = 5;

/** Runs an activity and maps its errors. A cancellation stays one, whatever error the client library throws for it. */
export async function runActivity<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    const context = Context.current();
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw toFailure(error, context.info.attempt);
  }
}

/** Sets what the next heartbeats contain, and so what the next attempt finds. It replaces what was set before. */
export type Report = (details: unknown) => void;

/**
 * Runs an activity that sends heartbeats until it ends, three per heartbeat timeout. With them, Temporal soon notices a
 * killed process, and a cancellation reaches the activity. Without a heartbeat timeout it sends none.
 */
export function runWithHeartbeat<Result>(
  run: (signal: AbortSignal, report: Report) => Promise<Result>,
): Promise<Result> {
  return runActivity(async () => {
    const context = Context.current();
    const timeoutMs = context.info.heartbeatTimeoutMs;
    let details: unknown = context.info.heartbeatDetails;
    const timer = timeoutMs ? setInterval(() => context.heartbeat(details), timeoutMs / 3) : undefined;
    try {
      return await run(context.cancellationSignal, (reported) => {
        details = reported;
      });
    } finally {
      clearInterval(timer);
    }
  });
}

/**
 * As `runWithHeartbeat`, with an input that was parsed, and with an end before Temporal's own time-out, which would store
 * no failure of a type. `name` is the activity's, for the message.
 */
export function activity<Input, Result>(
  name: string,
  schema: z.ZodType<Input>,
  run: (input: Input, signal: AbortSignal) => Promise<Result>,
): (input: Input) => Promise<Result> {
  return (input) =>
    runWithHeartbeat(async (cancelled) => {
      const ended = new AbortController();
      const timer = endIn(ownTimeoutMs(), ended);
      try {
        return await run(parseInput(name, schema, input), AbortSignal.any([cancelled, ended.signal]));
      } finally {
        clearTimeout(timer);
      }
    });
}

/** What is left of Temporal's time-out to report a failure. A shorter time-out is left to Temporal. */
const REPORT_MS = 5_000;

function ownTimeoutMs(): number | undefined {
  const { startToCloseTimeoutMs: timeoutMs } = Context.current().info;
  return timeoutMs > 2 * REPORT_MS ? timeoutMs - REPORT_MS : undefined;
}

function endIn(ms: number | undefined, ended: AbortController): NodeJS.Timeout | undefined {
  if (ms === undefined) return undefined;
  return setTimeout(() => ended.abort(new DOMException('the step has no time left', 'TimeoutError')), ms);
}

/** The failure that Temporal stores for `error`, in the given attempt. */
export function toFailure(error: unknown, attempt: number): TemporalFailure {
  if (error instanceof TemporalFailure) return withoutForeignCause(error);
  if (isProviderError(error)) {
    const { givesUp, provider, fields, revert } = error.facts;
    if (givesUp && attempt >= givesUp.afterAttempts) return toFailure(givesUp.with, attempt);
    return ApplicationFailure.create({
      type: error.type,
      message: error.message,
      nonRetryable: !error.retryable,
      details: [{ provider, fields, ...(revert && { revert }) }],
      // Never 0: a server takes it for the end of the retries.
      nextRetryDelay: error.facts.retryAfterMs || undefined,
    });
  }
  const kind = error instanceof Error ? error.constructor.name : typeof error;
  return ApplicationFailure.create({
    type: 'UnexpectedError',
    message: `unexpected ${kind} in this activity`,
    nonRetryable: attempt >= UNEXPECTED_ERROR_ATTEMPTS,
  });
}

/** Temporal writes the whole chain of causes into the history. A client library's error in it may hold a key. */
function withoutForeignCause(failure: TemporalFailure): TemporalFailure {
  let link = failure;
  while (link.cause instanceof TemporalFailure) link = link.cause;
  if (link.cause !== undefined) Object.defineProperty(link, 'cause', { value: undefined });
  return failure;
}
