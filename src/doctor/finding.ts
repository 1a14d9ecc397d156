/** The result of one check of a set-up. */
import { isProviderError } from '../protocol/errors.js';

export interface Finding {
  /** What was checked: `worker login`, `listening`. */
  readonly check: string;
  /** `warn`: it works, but somebody should look at it. `skipped`: it could not be checked, and why. */
  readonly outcome: 'ok' | 'warn' | 'fail' | 'skipped';
  /** What was found. If that is not in order: what is wrong, and what to do. */
  readonly message: string;
}

/** What a check returns: its name is added. */
export type Result = Omit<Finding, 'check'>;

export const ok = (message: string): Result => ({ outcome: 'ok', message });
export const warn = (message: string): Result => ({ outcome: 'warn', message });
export const fail = (message: string): Result => ({ outcome: 'fail', message });
export const skipped = (message: string): Result => ({ outcome: 'skipped', message });

/** A setting, or a part that is made of settings: its value, or what is wrong with it. */
export type Part<Value> = { readonly value: Value } | { readonly problem: string };

/** Runs a check. A ProviderError is what it found. */
export async function examine(
  check: string,
  run: () => Result | readonly Result[] | Promise<Result | readonly Result[]>,
): Promise<readonly Finding[]> {
  const results = await Promise.resolve()
    .then(run)
    .catch((error: unknown) => {
      if (!isProviderError(error)) throw error;
      return fail(error.message);
    });
  return [results].flat().map((result) => ({ check, ...result }));
}
