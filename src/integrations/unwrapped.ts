/** Frameworks wrap what a model throws in errors of their own, which would hide the failure that Temporal decides by. */
import { leavesUnwrapped } from '../plugin/with-provider.js';

/** Runs a part of a model, whose failures leave the activity as they are. */
export async function unwrapped<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw leavesUnwrapped(error);
  }
}
