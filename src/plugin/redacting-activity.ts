/**
 * The innermost activity interceptor. It removes the secrets that this process has opened from what an activity throws,
 * returns and sends in heartbeats. So the other interceptors, which log and trace what they see, see no such secret.
 * What those interceptors throw themselves is not redacted. It also bounds the causes of what an activity throws.
 */
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory, Logger } from '@temporalio/worker';
import { withBoundedCauses } from '../protocol/causes.js';
import { FAILURE_TYPES } from '../protocol/failure-types.js';
import { redact } from '../redaction/opened-secrets.js';
import { redactValue } from '../redaction/redact-value.js';
import { Secret } from '../redaction/secret.js';
import { forgetReceivedForm, interceptHeartbeat } from '../sdk/internals.js';

/** A client library's error may refer to requests, to sockets and to the client itself. */
const MAX_OBJECTS_OF_AN_ERROR = 5_000;

/** An interceptor for `interceptors.activity`. It must be the last in the list. */
export const redactingActivity: ActivityInterceptorsFactory = (context) => {
  interceptHeartbeat(context, (send) => (details) => send(toPayload(details, 'a heartbeat')));
  return {
    inbound: {
      async execute(input, next) {
        try {
          return toPayload(await next(input), 'the result');
        } catch (error) {
          throw redactThrown(withBoundedCauses(error));
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
 * Wraps a logger for `Runtime.install({ logger })`: it removes the secrets that this process has opened from messages
 * and attributes.
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

/** @throws ApplicationFailure if the value holds a `Secret`: JSON would carry `[redacted]` in place of the key */
function toPayload<Value>(value: Value, what: string): Value {
  if (holdsSecret(value, new Set())) {
    const message = `${what} of this activity holds a Secret: pass a provider reference, and open it where it is used`;
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
    // Retry policies match on the failure types: they must not be redacted, even if a workspace's key is such a word.
    const { type } = original as { type?: unknown };
    if (typeof type === 'string' && Object.hasOwn(FAILURE_TYPES, type))
      Object.defineProperty(link, 'type', { value: type });
    original = (original as TemporalFailure).cause;
  }
  return redacted;
}
