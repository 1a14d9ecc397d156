/** What a failed activity of ours says: its own type and message, which are ours, from under Temporal's wrapping. */
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';

function innermost(error: unknown): unknown {
  return error instanceof ActivityFailure ? (error.cause ?? error) : error;
}

/** `CredentialRejected`, `ProviderUnavailable`, …; `UnexpectedError` where it has none. */
export function failureTypeOf(error: unknown): string {
  const cause = innermost(error);
  return (cause instanceof ApplicationFailure ? cause.type : undefined) ?? 'UnexpectedError';
}

export function messageOf(error: unknown): string {
  const cause = innermost(error);
  return cause instanceof Error ? cause.message : 'unexpected error';
}
