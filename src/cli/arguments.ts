/** Parses the values of options. */
import { UsageError } from './failure.js';

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

/**
 * Parses a time with its zone, so that no zone has to be guessed: `2026-03-01T12:00Z`, `2026-03-01T14:00:30+02:00`, or
 * a day, which begins at midnight UTC.
 *
 * @throws UsageError that names the option
 */
export function parseTime(option: string, text: string): Date {
  const time = new Date(TIME.test(text) ? text : Number.NaN);
  if (!Number.isNaN(time.getTime())) return time;
  throw new UsageError(`${option} must be a time such as 2026-03-01T12:00Z, or a day such as 2026-03-01`);
}

/** @throws UsageError that names the option */
export function parseWholeNumber(option: string, text: string, max: number): number {
  if (/^\d{1,15}$/.test(text) && Number(text) <= max) return Number(text);
  throw new UsageError(`${option} must be a whole number, at most ${max}`);
}
