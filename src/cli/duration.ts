/** Durations as a person types and reads them. */
import { UsageError } from './failure.js';

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * `500ms`, `30s`, `15m`, `24h`, `7d`, or `0`, in milliseconds.
 *
 * @throws UsageError naming the option
 */
export function parseDuration(option: string, text: string, maxMs: number): number {
  if (text === '0') return 0;
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS_MS[unit as keyof typeof UNITS_MS] ?? Number.NaN);
  if (ms <= maxMs) return ms;
  throw new UsageError(`${option} takes a duration such as 30s, 15m or 24h, up to ${maxMs / UNITS_MS.h}h`);
}

/** `18 ms`, `30.3 s`, `41 s`, `5 min`, `24 h`, `7 d`: as exact as it helps. */
export function describeDuration(ms: number): string {
  if (ms < UNITS_MS.s) return `${Math.round(ms)} ms`;
  if (ms < 2 * UNITS_MS.m) return `${Number((ms / UNITS_MS.s).toFixed(1))} s`;
  if (ms < 2 * UNITS_MS.h) return `${Math.round(ms / UNITS_MS.m)} min`;
  if (ms < 2 * UNITS_MS.d) return `${Math.round(ms / UNITS_MS.h)} h`;
  return `${Math.round(ms / UNITS_MS.d)} d`;
}
