/**
 * Maps the errors of Postgres and its client to ours. Their messages are never passed on: the detail of a constraint
 * violation prints the row, and a connection error may print the address with its password.
 */
import pg from 'pg';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { connectionProblem, type StoreProblem } from './connection-errors.js';
import { type ConnectedRole, URL_SETTINGS, urlSource } from './roles.js';
import { StatementEnded } from './run-statement.js';

/** By the name of a constraint, which is that of its column: the field as callers know it, and what it may contain. */
const FIELDS: Readonly<Record<string, readonly [field: string, allowed: string]>> = {
  workspace_id: ['workspaceId', '1 to 128 characters from A-Z a-z 0-9 _ . : -'],
  provider_type: ['type', '1 to 32 characters from a-z 0-9 -, starting with a letter'],
  provider_name: ['name', '1 to 64 characters from a-z 0-9 _ . : -'],
  config: ['config', 'a JSON object of at most 16 kB'],
  encrypted_config: ['encryptedConfig', 'a compact JWE of at most 128 kB'],
  status: ['status', 'active or disabled'],
  rotate_every: ['rotateEvery', 'longer than 0, and at most 100 years'],
  last_check_outcome: ['outcome', 'ok, rejected or cannot-tell'],
  kid: ['kid', '1 to 128 characters from A-Z a-z 0-9 _ . : -'],
  wrapped_key: ['wrappedKey', 'at most 8 kB of printable ASCII'],
  root_key_id: ['rootKeyId', 'at most 2 kB of printable ASCII'],
};

/** By the name that the schema gives a bound. */
const BOUNDS: Readonly<Record<string, string>> = {
  most_providers: 'the workspace has as many providers as a workspace can have (200): remove one first',
  most_data_keys: 'the workspace has as many data keys as a workspace can have (100)',
  most_workers: 'as many workers are registered as there can be (10,000): see `workspace-providers workers`',
  most_uses: 'too many uses at once: record at most 20,000',
  use: 'a use must be of the last day, with a version from 0 and a count from 1 to 2147483647',
};

const JSON_ERRORS: readonly string[] = ['22P02', '22P05'];

const NEEDS_TLS: Wording = (role) => `Postgres requires TLS: add sslmode=verify-full to the URL in ${urlSource(role)}`;

type Wording = (role: ConnectedRole) => string;

/** By SQLSTATE, or by the class that it begins with. Trying again without a change would not help. */
const SETUP: Readonly<Record<string, Wording>> = {
  '28': (role) =>
    'Postgres refuses the login from this machine: check that it may log in and that pg_hba.conf admits it, and its ' +
    `name in ${urlSource(role)}`,
  '28P01': (role) => `Postgres refuses the login: check its name and password in ${urlSource(role)}`,
  '3D': (role) => `the database does not exist: create it, or correct its name in ${urlSource(role)}`,
  '3F000': () => NOT_MIGRATED,
  '42883': () => NOT_MIGRATED,
  '42501': (role) => `the database login lacks a privilege: grant it the role ${role}`,
  '26000': () => NO_PREPARED_STATEMENTS,
  '42P05': () => NO_PREPARED_STATEMENTS,
};

const NOT_MIGRATED = 'the database is not migrated: run `workspace-providers migrate`';
const NO_PREPARED_STATEMENTS =
  'prepared statements do not work behind a pooler in transaction mode: set PROVIDER_PREPARED_STATEMENTS=false';

/** Raised by the functions of workers. */
const COPIED_IDENTITY = 'WP001';

/** Raised if the database cannot prove what is current. */
const UNGUARDED: Readonly<Record<string, Wording>> = {
  WP003: (role) =>
    `the server is a standby, which may be behind: set ${URL_SETTINGS[role]} to the primary server, or make the proxy ` +
    'in front of it choose the primary server',
  WP004: () => `triggers that the fence relies on are missing or not in force: ${REPAIR}`,
  WP005: () => `row-level security is not in force, or a policy is missing: ${REPAIR}`,
};
const REPAIR = 'run `workspace-providers migrate --repair`';

const AWAY: Readonly<Record<string, Wording>> = {
  '08': (role) =>
    `the connection to Postgres failed: if a pooler is in between, check that it knows the login and the database in ${urlSource(role)}`,
  '25006': (role) =>
    'the database is read-only: wait until its administrator ends that, as after a full disk; if the server is a ' +
    `standby, correct the host in ${urlSource(role)}`,
  '40': () => 'other changes kept getting in between: try again',
  '53': () => 'Postgres lacks resources: see its log',
  '53100': () => 'the disk of Postgres is full: free some space on it',
  '53200': () => 'Postgres is out of memory: see its log',
  '53300': () =>
    'Postgres has no free connection: lower PROVIDER_DATABASE_CONNECTIONS or the number of processes, or raise ' +
    'max_connections or the connection limit of the login or database',
  '55P03': () => 'another session holds a lock for too long: end its transaction',
  '57': () => 'Postgres does not answer: it ended the connection',
  '57014': () => 'the statement was cancelled, by statement_timeout or by an administrator',
  '57P01': () => 'Postgres does not answer: an administrator ended the connection, or the server is shutting down',
  '57P03': () => 'Postgres does not answer: it is starting, stopping or recovering',
  '57P05': () => 'Postgres ended an idle connection',
  '58': () => 'Postgres has an error of its files or its disk: see its log',
  WP002: () => 'this process is no longer registered as a worker: it registers again at its next renewal',
  XX: () => 'Postgres or the pooler in front of it has an internal error: see its log',
};

/** Maps an error that a statement has thrown. @param role - the role that the login must be granted */
export function toStoreError(error: unknown, role: ConnectedRole): ProviderError {
  if (isProviderError(error)) return error;
  if (error instanceof StatementEnded) return unavailable({ message: error.message, isSetup: false }, role);
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) {
    return unavailable(connectionProblem(error, role), role);
  }
  const { code } = error;
  if (code === COPIED_IDENTITY) {
    return new ProviderError(
      'SetupInvalid',
      'another process has registered with the worker id of this one, and this one gets no lease: it is a copy of ' +
        'that process or of its machine. Restart it',
    );
  }
  const unguarded = UNGUARDED[code];
  if (unguarded) {
    const facts = { fields: [URL_SETTINGS[role]], isUnguarded: true };
    return new ProviderError('StoreUnavailable', unguarded(role), facts);
  }
  const bound = BOUNDS[columnOf(error)];
  if (bound) return new ProviderError('ProviderConfigInvalid', bound);
  const [field, allowed] = FIELDS[columnOf(error)] ?? [];
  if (field) return new ProviderError('ProviderConfigInvalid', `${field} must be ${allowed}`, { fields: [field] });
  if (['22', '23', '54'].includes(code.slice(0, 2))) {
    return new ProviderError('ProviderConfigInvalid', `Postgres cannot store one of the values (SQLSTATE ${code})`);
  }
  return unavailable(problemOf(error, role), role);
}

function problemOf({ code = '', message }: pg.DatabaseError, role: ConnectedRole): StoreProblem {
  // The same SQLSTATE as for a login that pg_hba.conf does not admit. A server in another language keeps its words.
  const needsTls = code === '28000' && /no encryption|SSL (off|connection is required)/i.test(message);
  const setup = needsTls ? NEEDS_TLS : (SETUP[code] ?? SETUP[code.slice(0, 2)]);
  if (setup) return { message: setup(role), isSetup: true };
  const away = AWAY[code] ?? AWAY[code.slice(0, 2)];
  const what = away?.(role) ?? 'Postgres refused a statement';
  return { message: `${what} (SQLSTATE ${code})`, isSetup: false };
}

/**
 * The error of a check at the start. While a process runs, what a setting causes is tried again, because somebody may
 * correct it in Postgres, and workflows wait. At the start it is refused.
 */
export function atStart(error: unknown): unknown {
  if (!isProviderError(error, 'StoreUnavailable') || !error.facts.fields?.length) return error;
  return new ProviderError('SetupInvalid', error.message, error.facts);
}

/** Whether a concurrent transaction is the only cause: a serialization failure, a deadlock. */
export function asksToRepeat(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01');
}

function columnOf({ constraint, column, code = '' }: pg.DatabaseError): string {
  // Of a caller's values, Postgres parses only the config. JSON can have what jsonb cannot: a NUL, half a surrogate.
  return constraint ?? column ?? (JSON_ERRORS.includes(code) ? 'config' : '');
}

function unavailable({ message, isSetup }: StoreProblem, role: ConnectedRole): ProviderError {
  return new ProviderError('StoreUnavailable', message, isSetup ? { fields: [URL_SETTINGS[role]] } : {});
}
