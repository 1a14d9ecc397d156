/** Exit codes of the commands and the worker. They are API: scripts branch on them. */
import { isProviderError } from '../protocol/errors.js';
import { FAILURE_TYPES } from '../protocol/failure-types.js';

export const EXIT = {
  ok: 0,
  fault: 1,
  invalid: 2,
  notConfigured: 3,
  rejected: 4,
  unavailable: 5,
  unfinished: 6,
  needsPerson: 7,
  /** As in shells, 128 + SIGINT. */
  interrupted: 130,
} as const;

/** What each code means: for `--help` and docs/cli.md. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  [EXIT.ok]: 'done',
  [EXIT.fault]: 'a bug in this program',
  [EXIT.invalid]: 'the input or a setting is not valid; nothing was changed',
  [EXIT.notConfigured]: 'there is no such provider, or it is disabled',
  [EXIT.rejected]: 'the credential was rejected or does not open, or the grant is not valid',
  [EXIT.unavailable]: 'Postgres, Temporal or the service is unavailable, or cannot tell: try again',
  [EXIT.unfinished]: 'the change was made, but not all that follows it; see the message',
  [EXIT.needsPerson]: 'something needs a person, as `status` or `doctor` has printed',
  [EXIT.interrupted]: 'Ctrl-C ended the wait; what was begun is done, or continues',
};

export function exitCodeOf(error: unknown): number {
  return isProviderError(error) ? FAILURE_TYPES[error.type].exitCode : EXIT.fault;
}
