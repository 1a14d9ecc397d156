/**
 * Maps the errors of Postgres and its client to ours. Their messages are never passed on: the detail of a constraint
 * violation prints the row, and a connection error may print the address with its password.
 */
import pg from 'pg';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { type ConnectedRole, urlSource } from './roles.js';

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

/** Maps an error that a statement has thrown. @param role - the role that the login must be granted */
export function toStoreError(error: unknown, role: ConnectedRole): ProviderError {
  if (isProviderError(error)) return error;
  const code = error instanceof pg.DatabaseError ? error.code : undefined;
  if (code === undefined) return unavailable('Postgres does not answer');
  const [field, allowed] = FIELDS[columnOf(error as pg.DatabaseError)] ?? [];
  const bound = BOUNDS[columnOf(error as pg.DatabaseError)];
  if (bound) return new ProviderError('ProviderConfigInvalid', bound);
  if (field) return new ProviderError('ProviderConfigInvalid', `${field} must be ${allowed}`, { fields: [field] });
  switch (code.slice(0, 2)) {
    case '08':
    case '53':
    case '57':
      return unavailable('Postgres does not answer');
    case '22':
    case '23':
    case '54':
      return new ProviderError('ProviderConfigInvalid', `Postgres cannot store one of the values (SQLSTATE ${code})`);
    case '28':
      return unavailable(`Postgres refuses the login: check its name and password in ${urlSource(role)}`);
    case '3D':
      return unavailable(`the database does not exist: check its name in ${urlSource(role)}`);
  }
  switch (code) {
    case 'WP001':
      return new ProviderError(
        'SetupInvalid',
        'another process has registered with the worker id of this one, and this one gets no lease: it is a copy of ' +
          'that process or of its machine. Restart it',
      );
    case 'WP002':
      return unavailable('this process is no longer registered as a worker: it registers again at its next renewal');
    case '55P03':
      return unavailable('another session holds a lock that this statement needs, and did not release it in time');
    case '42501':
      return unavailable(`the database login lacks a privilege: grant it the role ${role}`);
    case '26000':
    case '42P05':
      return unavailable(
        'prepared statements do not work behind a pooler in transaction mode: set PROVIDER_PREPARED_STATEMENTS=false',
      );
    case '3F000':
    case '42883':
      return unavailable('the database is not migrated: run `workspace-providers migrate`');
    default:
      return unavailable(`Postgres refused a statement (SQLSTATE ${code})`);
  }
}

/** Whether a concurrent transaction is the only cause: a serialization failure, a deadlock. */
export function asksToRepeat(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01');
}

function columnOf({ constraint, column, code = '' }: pg.DatabaseError): string {
  // Of a caller's values, Postgres parses only the config. JSON can have what jsonb cannot: a NUL, half a surrogate.
  return constraint ?? column ?? (JSON_ERRORS.includes(code) ? 'config' : '');
}

function unavailable(message: string): ProviderError {
  return new ProviderError('StoreUnavailable', message);
}
