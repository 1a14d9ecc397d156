/**
 * The one way from an activity's error to what Temporal writes down. Client libraries put keys and whole URLs into
 * messages, stacks and causes, so a foreign error is never passed on: only its class is named.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { isProviderError } from '../protocol/errors.js';

/** A bug, or a model that never fits its schema, is no outage: it ends after this many attempts. */
const UNEXPECTED_ERROR_ATTEMPTS = 5;

/** What `error` becomes at the activity's edge, in the given attempt. */
export function toFailure(error: unknown, attempt: number): TemporalFailure {
  if (error instanceof TemporalFailure) return withoutForeignCause(error);
  if (isProviderError(error)) {
    return ApplicationFailure.create({
      type: error.type,
      message: error.message,
      nonRetryable: !error.retryable,
      details: [{ provider: error.facts.provider, fields: error.facts.fields }],
      nextRetryDelay: error.facts.retryAfterMs,
    });
  }
  const kind = error instanceof Error ? error.constructor.name : typeof error;
  return ApplicationFailure.create({
    type: 'UnexpectedError',
    message: `unexpected ${kind} in this activity`,
    nonRetryable: attempt >= UNEXPECTED_ERROR_ATTEMPTS,
  });
}

/** Temporal writes the whole chain of causes into the history; a client library's error at its end may hold a key. */
function withoutForeignCause(failure: TemporalFailure): TemporalFailure {
  let link = failure;
  while (link.cause instanceof TemporalFailure) link = link.cause;
  if (link.cause !== undefined) Object.defineProperty(link, 'cause', { value: undefined });
  return failure;
}

/** Runs an activity of ours: failures mapped, and a cancellation said as one, whatever the client library made of it. */
export async function atTheEdge<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    const context = Context.current();
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw toFailure(error, context.info.attempt);
  }
}
