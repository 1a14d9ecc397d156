/** When a service said that it will answer again: by header, or in the body as Google's APIs do. */
import type { ServiceAnswer } from './service-answer.js';

/** A wait that a header may ask for; beyond it the header is a mistake, or no longer about this call. */
const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

/** Milliseconds from `nowMs`; `undefined` where the service did not say, or said what cannot be. */
export function retryAfterMs(answer: ServiceAnswer, nowMs: number = Date.now()): number | undefined {
  const waitMs =
    numberIn(answer.header('retry-after-ms')) ??
    fromRetryAfter(answer.header('retry-after'), nowMs) ??
    fromRetryInfo(answer.body);
  if (waitMs === undefined || waitMs < 0 || waitMs > MAX_RETRY_AFTER_MS) return undefined;
  return Math.ceil(waitMs);
}

/** Seconds, or an HTTP date. */
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
