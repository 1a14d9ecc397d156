/** Points in time as a person types them: with their zone, so that nobody's own zone is guessed at. */
import { UsageError } from './failure.js';

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

/**
 * `2026-03-01T12:00Z`, `2026-03-01T14:00:30+02:00`, or a day, which begins at midnight UTC.
 *
 * @throws UsageError naming the option
 */
export function parseTime(option: string, text: string): Date {
  const time = new Date(TIME.test(text) ? text : Number.NaN);
  if (!Number.isNaN(time.getTime())) return time;
  throw new UsageError(`${option} takes a time such as 2026-03-01T12:00Z, or a day such as 2026-03-01`);
}
