/**
 * Runs the package's activities, and maps every error to the failure that Temporal stores. Client libraries put keys
 * and whole URLs into messages, stacks and causes, so a third-party error is never passed on: only its class is named.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import type { z } from 'zod';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
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

/** As `runWithHeartbeat`, with an input that was parsed. `name` is the activity's, for the message. */
export function activity<Input, Result>(
  name: string,
  schema: z.ZodType<Input>,
  run: (input: Input, signal: AbortSignal, report: Report) => Promise<Result>,
): (input: Input) => Promise<Result> {
  return (input) => runWithHeartbeat(async (signal, report) => run(parseInput(name, schema, input), signal, report));
}

/** Temporal takes payloads of up to 2 MiB, and would retry an activity that returns a larger one. */
const LONGEST_RESULT_BYTES = 2 * 1024 * 1024;

/** @throws ProviderError `ResultTooLarge` if a workflow history cannot hold the result */
export function checkResultSize<Result>(result: Result, { workspaceId, type, name }: ProviderIdentity): Result {
  const bytes = Buffer.byteLength(JSON.stringify(result) ?? '');
  if (bytes <= LONGEST_RESULT_BYTES) return result;
  const provider = { workspaceId, type, name };
  const size = `the result of ${describeProvider(provider)} has ${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  const message = `${size}, but a workflow history takes at most 2 MiB: ask for less`;
  throw new ProviderError('ResultTooLarge', message, { provider });
}

/** The failure that Temporal stores for `error`, in the given attempt. */
export function toFailure(error: unknown, attempt: number): TemporalFailure {
  if (error instanceof TemporalFailure) return withoutForeignCause(error);
  if (isProviderError(error)) {
    const { givesUp } = error.facts;
    if (givesUp && attempt >= givesUp.afterAttempts) return toFailure(givesUp.with, attempt);
    return ApplicationFailure.create({
      type: error.type,
      message: error.message,
      nonRetryable: !error.retryable,
      details: [{ provider: error.facts.provider, fields: error.facts.fields }],
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
