/** Whole numbers as options take them. */
import { UsageError } from './failure.js';

/** @throws UsageError naming the option */
export function parseWholeNumber(option: string, text: string, max: number): number {
  if (/^\d{1,15}$/.test(text) && Number(text) <= max) return Number(text);
  throw new UsageError(`${option} takes a whole number, at most ${max}`);
}
