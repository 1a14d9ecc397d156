/** Reads how long a service asks to wait before the next call: from a header, or from the body of Google's APIs. */
import type { ServiceAnswer } from './service-answer.js';

/** The longest wait that is accepted. A longer one is a mistake, or is not about this call. */
const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

/** The wait in milliseconds from `nowMs`. `undefined` if the service sent none, or an impossible one. */
export function retryAfterMs(answer: ServiceAnswer, nowMs: number = Date.now()): number | undefined {
  const waitMs =
    numberIn(answer.header('retry-after-ms')) ??
    fromRetryAfter(answer.header('retry-after'), nowMs) ??
    fromRetryInfo(answer.body);
  if (waitMs === undefined || waitMs < 0 || waitMs > MAX_RETRY_AFTER_MS) return undefined;
  return Math.ceil(waitMs);
}

/** The header holds seconds or an HTTP date. */
function fromRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = numberIn(value);
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** `google.rpc.RetryInfo` in an error's details: `{"retryDelay":"34.07s"}`. */
function fromRetryInfo(body: unknown): number | undefined {
  const details = (body as { error?: { details?: unknown } } | undefined)?.error?.details;
  if (!Array.isArray(details)) return undefined;
  for (const detail of details as ({ retryDelay?: unknown } | null)[]) {
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(String(detail?.retryDelay))?.[1];
    if (seconds !== undefined) return Number(seconds) * 1000;
  }
  return undefined;
}

function numberIn(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
