/** The grammar of durations: in settings, options and flags, and for stored intervals that are shown. */

/** A whole number and a unit, `500ms`, `30s`, `15m`, `24h`, `7d` or `2w`; or `0`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w'}` | '0';

const UNITS_MS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** How error messages describe the grammar. */
export const DURATION_RULE = 'a duration such as 500ms, 30s, 15m, 24h or 7d';

/** The duration in milliseconds; `undefined` for text that does not fit the grammar. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const [, amount, unit] = /^(\d{1,12})(ms|s|m|h|d|w)$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS_MS[unit as keyof typeof UNITS_MS] ?? Number.NaN);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The exact duration in its largest unit: `30s`, `90d`. */
export function formatDuration(ms: number): Duration {
  if (ms === 0) return '0';
  const [unit = 'ms', unitMs = 1] =
    Object.entries(UNITS_MS).find(([, each]) => each !== UNITS_MS.w && ms % each === 0) ?? [];
  return `${Math.round(ms / unitMs)}${unit}` as Duration;
}

/** The duration for a person, rounded: `18 ms`, `30.3 s`, `41 s`, `5 min`, `24 h`, `7 d`. */
export function describeDuration(ms: number): string {
  if (ms < UNITS_MS.s) return `${Math.round(ms)} ms`;
  if (ms < 2 * UNITS_MS.m) return `${Number((ms / UNITS_MS.s).toFixed(1))} s`;
  if (ms < 2 * UNITS_MS.h) return `${Math.round(ms / UNITS_MS.m)} min`;
  if (ms < 2 * UNITS_MS.d) return `${Math.round(ms / UNITS_MS.h)} h`;
  return `${Math.round(ms / UNITS_MS.d)} d`;
}
