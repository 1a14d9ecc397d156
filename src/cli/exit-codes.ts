/** Exit codes of the commands and the worker. They are API: scripts branch on them. */
import { FAILURE_TYPES, isProviderError } from '../protocol/errors.js';

export const EXIT = {
  ok: 0,
  /** A bug. */
  fault: 1,
  /** Input or settings do not fit; the message names what. Nothing was changed. */
  invalid: 2,
  /** There is no such provider, or it is disabled. */
  notConfigured: 3,
  /** The service refused the credential, the credential does not open, or the worker refused the grant. */
  rejected: 4,
  /** Postgres, Temporal, the root-key service or the live service is away or busy: try again. */
  unavailable: 5,
  /** The change was made, but what should follow it was not finished; the message says what is left. */
  unfinished: 6,
  /** Ctrl-C ended the wait: what was begun is done, or goes on. As in shells, 128 + SIGINT. */
  interrupted: 130,
} as const;

export function exitCodeOf(error: unknown): number {
  return isProviderError(error) ? FAILURE_TYPES[error.type].exitCode : EXIT.fault;
}
