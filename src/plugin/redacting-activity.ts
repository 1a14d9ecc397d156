/**
 * The innermost activity interceptor. It removes the secrets that this process has opened from what an activity throws,
 * returns and sends in heartbeats. So the other interceptors, which log and trace what they see, see no such secret.
 * What those interceptors throw themselves is not redacted. It searches objects, so what it sees may differ from what a
 * payload converter sees: `redacting-codec.ts` searches that. It also bounds the causes of what an activity throws.
 */
import { CompleteAsyncError } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory, Logger } from '@temporalio/worker';
import { withBoundedCauses } from '../protocol/causes.js';
import { FAILURE_TYPES } from '../protocol/failure-types.js';
import { redact } from '../redaction/opened-secrets.js';
import { redactValue } from '../redaction/redact-value.js';
import { Secret } from '../redaction/secret.js';
import { forgetReceivedForm, interceptHeartbeat } from '../sdk/internals.js';
import { redactOf } from './activity-workspaces.js';
import { loggerBy } from './logger-by.js';

/** A client library's error may refer to requests, to sockets and to the client itself. */
const MAX_OBJECTS_OF_AN_ERROR = 5_000;

/** An interceptor for `interceptors.activity`. It must be the last in the list. */
export const redactingActivity: ActivityInterceptorsFactory = (context) => {
  const redactText = (text: string) => redactOf(context, text);
  interceptHeartbeat(context, (send) => (details) => send(toPayload(details, 'a heartbeat', redactText)));
  return {
    inbound: {
      async execute(input, next) {
        try {
          return toPayload(await next(input), 'the result', redactText);
        } catch (error) {
          throw redactThrown(withBoundedCauses(error), redactText);
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
    logger.log(
      level,
      redact(String(message)),
      redactValue(meta, redact, { maxObjects: MAX_OBJECTS_OF_AN_ERROR, isCopied: true }),
    );
  return loggerBy(log);
}

/** @throws ApplicationFailure if the value holds a `Secret`: JSON would carry `[redacted]` in place of the key */
function toPayload<Value>(value: Value, what: string, redactText: (text: string) => string): Value {
  if (holdsSecret(value, new Set())) {
    const message = `${what} of this activity holds a Secret: pass a provider reference, and open it where it is used`;
    throw ApplicationFailure.nonRetryable(message, 'UnexpectedError');
  }
  return redactValue(value, redactText);
}

function holdsSecret(value: unknown, seen: Set<object>): boolean {
  if (value instanceof Secret) return true;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return false;
  seen.add(value);
  return Object.values(value).some((each) => holdsSecret(each, seen));
}

function redactThrown(error: unknown, redactText: (text: string) => string): unknown {
  const isCopied = error instanceof Error && !isPlainFailure(error);
  const redacted = redactValue(error, redactText, { maxObjects: MAX_OBJECTS_OF_AN_ERROR, isCopied });
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

/**
 * Whether the SDK reads from this failure what a search reads. In another error, a getter may answer the second time
 * otherwise than the first: it is copied, so that what was searched is what is thrown.
 */
function isPlainFailure(error: Error): boolean {
  if (error instanceof CompleteAsyncError) return true;
  const links = new Set<unknown>();
  for (let link: unknown = error; link !== undefined && link !== null; link = (link as Error).cause) {
    const hasGetters = ['message', 'stack', 'type', 'cause'].some((key) => getterOf(link as object, key));
    if (!(link instanceof TemporalFailure) || hasGetters || links.has(link)) return false;
    links.add(link);
  }
  return true;
}

function getterOf(link: object, key: string): unknown {
  const { get } = Object.getOwnPropertyDescriptor(link, key) ?? {};
  // Later versions of V8 define the stack by a getter of their own.
  return key === 'stack' && get?.toString().includes('[native code]') ? undefined : get;
}
