/**
 * Reads how long a service asks to wait before the next call: from its headers, or from its body. A hint that is not a
 * wait (zero, negative, a date that has passed, words) counts as none: the step is then tried again as its retry policy
 * says. It must never be passed on as 0, because a Temporal server takes a delay of 0 for the end of the retries.
 */
import { errorIn, fieldsOf } from './error-body.js';
import type { ServiceAnswer } from './service-answer.js';

/** The longest wait that is accepted. A longer one is a mistake, or is not about this call. */
const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

/** The wait in whole milliseconds from `nowMs`, at least 1. `undefined` if the service sent none, or an impossible one. */
export function retryAfterMs(answer: ServiceAnswer, nowMs: number = Date.now()): number | undefined {
  const hints = [
    numberIn(answer.header('retry-after-ms')),
    fromRetryAfter(answer.header('retry-after'), nowMs),
    fromBody(answer),
  ];
  const waitMs = hints.find((hint) => hint !== undefined && hint > 0 && hint <= MAX_RETRY_AFTER_MS);
  return waitMs === undefined ? undefined : Math.ceil(waitMs);
}

/** The header holds seconds or an HTTP date; some services write a duration: `1.5s`, `6m0s`. */
function fromRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = numberIn(value);
  if (seconds !== undefined) return seconds * 1000;
  return durationMsIn(value.trim()) ?? untilDate(value, nowMs);
}

function untilDate(value: string, nowMs: number): number | undefined {
  // Only texts with a year and a time, because `Date.parse` takes almost anything.
  if (!/\d{4}.*\d{1,2}:\d{2}/.test(value)) return undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : date - nowMs;
}

function fromBody({ body, status, text }: ServiceAnswer): number | undefined {
  const error = errorIn(body);
  const { details, data, message, retry_after: own } = fieldsOf(error);
  const { rate, try_again_in } = fieldsOf(data);
  // Google: `google.rpc.RetryInfo`. Infura: `data.rate`. Discord's form, which gateways have taken over: `retry_after`. Hugging Face: `estimated_time`.
  const retryInfo = (Array.isArray(details) ? (details as unknown[]) : []).map((each) => fieldsOf(each).retryDelay);
  const durations = [...retryInfo, try_again_in].map((each) =>
    typeof each === 'string' ? durationMsIn(each) : undefined,
  );
  const seconds = [fieldsOf(rate).backoff_seconds, own, fieldsOf(body).retry_after, fieldsOf(body).estimated_time].map(
    (each) => (typeof each === 'number' ? each * 1000 : undefined),
  );
  const words =
    typeof error === 'string' ? error : (message ?? (body === undefined && status !== undefined ? text : ''));
  return [...durations, ...seconds, fromWords(words)].find((each) => each !== undefined);
}

const PLEASE = /\b(?:try(?:ing)? again|retry(?:ing)?|wait)\s+(?:in|after|for)?\s*(?:about\s+)?(\d[\w. ]{0,30})/i;

/** OpenAI and Groq: `Please try again in 6m0.5s`. Azure: `Please retry after 26 seconds`. */
function fromWords(words: unknown): number | undefined {
  const found = typeof words === 'string' ? PLEASE.exec(words.slice(0, 2_000))?.[1] : undefined;
  return found === undefined ? undefined : durationMsIn(found);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const AMOUNT =
  /^\s*(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])/i;

/** A duration at the start of the text: `34.07s`, `1h2m3s`, `20ms`, `26 seconds`. */
function durationMsIn(text: string): number | undefined {
  let totalMs: number | undefined;
  for (let rest = text, match = AMOUNT.exec(rest); match; match = AMOUNT.exec(rest)) {
    const [whole, amount = '', unit = ''] = match;
    const short = /^(ms|milli)/i.test(unit) ? 'ms' : unit.charAt(0).toLowerCase();
    totalMs = (totalMs ?? 0) + Number(amount) * (UNIT_MS[short] ?? 0);
    rest = rest.slice(whole.length);
  }
  return totalMs;
}

function numberIn(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
