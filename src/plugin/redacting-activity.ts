/**
 * The last thing before an activity's edge: what it throws, returns and says in heartbeats goes on without the secrets
 * that this process has opened. As the innermost interceptor it stands between the activity and everyone else's, which
 * log and trace what they see; what they throw themselves is theirs.
 */
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory, Logger } from '@temporalio/worker';
import { FAILURE_TYPES } from '../protocol/failure-types.js';
import { redact } from '../redaction/opened-secrets.js';
import { redactValue } from '../redaction/redact-value.js';
import { Secret } from '../redaction/secret.js';
import { forgetReceivedForm, interceptHeartbeat } from '../sdk/internals.js';

/** An error of a client library drags requests, sockets and the client itself along. */
const MAX_OBJECTS_OF_AN_ERROR = 5_000;

/** For `interceptors.activity`, as the last of them. */
export const redactingActivity: ActivityInterceptorsFactory = (context) => {
  interceptHeartbeat(context, (send) => (details) => send(toPayload(details, 'a heartbeat')));
  return {
    inbound: {
      async execute(input, next) {
        try {
          return toPayload(await next(input), 'the result');
        } catch (error) {
          throw redactThrown(error);
        }
      },
    },
    outbound: {
      getLogAttributes: (input, next) => redactValue(next(input), redact),
      getMetricTags: (input, next) => redactValue(next(input), redact),
    },
  };
};

/**
 * A logger for `Runtime.install({ logger })` that passes on what it is given without the secrets that this process has
 * opened, in messages and in attributes.
 *
 * @example
 * Runtime.install({ logger: redactingLogger(new DefaultLogger('INFO')) });
 */
export function redactingLogger(logger: Logger): Logger {
  const log: Logger['log'] = (level, message, meta) =>
    logger.log(level, redact(message), redactValue(meta, redact, { maxObjects: MAX_OBJECTS_OF_AN_ERROR }));
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}

/** @throws ApplicationFailure where it holds a `Secret`: JSON would carry the word `[redacted]` as if it were a key */
function toPayload<Value>(value: Value, what: string): Value {
  if (holdsSecret(value, new Set())) {
    const message = `${what} of this activity holds a Secret: return a provider reference, and open it where it is used`;
    throw ApplicationFailure.nonRetryable(message, 'UnexpectedError');
  }
  return redactValue(value, redact);
}

function holdsSecret(value: unknown, seen: Set<object>): boolean {
  if (value instanceof Secret) return true;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return false;
  seen.add(value);
  return Object.values(value).some((each) => holdsSecret(each, seen));
}

function redactThrown(error: unknown): unknown {
  const redacted = redactValue(error, redact, { maxObjects: MAX_OBJECTS_OF_AN_ERROR });
  if (redacted === error) return error;
  let original = error;
  for (let link: unknown = redacted; link instanceof TemporalFailure; link = link.cause) {
    forgetReceivedForm(link);
    // Retry policies match on our types, and a workspace that stores such a word as its key must not undo them.
    const { type } = original as { type?: unknown };
    if (typeof type === 'string' && Object.hasOwn(FAILURE_TYPES, type))
      Object.defineProperty(link, 'type', { value: type });
    original = (original as TemporalFailure).cause;
  }
  return redacted;
}
