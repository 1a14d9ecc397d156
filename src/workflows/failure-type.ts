/** The type, the message and the revert of this package's failures, read from beneath Temporal's wrapping. */
import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import type { Revert } from '../protocol/simulations.js';

function innermost(error: unknown): unknown {
  return error instanceof ActivityFailure ? (error.cause ?? error) : error;
}

/** Returns the type of a failure: `CredentialRejected`, `ProviderUnavailable`, …; `UnexpectedError` if it has none. */
export function failureTypeOf(error: unknown): string {
  const cause = innermost(error);
  return (cause instanceof ApplicationFailure ? cause.type : undefined) ?? 'UnexpectedError';
}

/** Returns why the execution reverted, of a failure of `rpcStep`. `undefined` if it did not revert, or did not say why. */
export function revertOf(error: unknown): Revert | undefined {
  const cause = innermost(error);
  const [details] = (cause instanceof ApplicationFailure ? cause.details : undefined) ?? [];
  return (details as { readonly revert?: Revert } | null | undefined)?.revert;
}

export function messageOf(error: unknown): string {
  // Its own message is empty, or names what was waited for.
  if (isCancellation(error)) return 'the workflow was cancelled';
  const cause = innermost(error);
  return cause instanceof Error && cause.message ? cause.message : 'unexpected error';
}
