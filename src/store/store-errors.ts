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

const JSON_ERRORS: readonly string[] = ['22P02', '22P05'];

/** Maps an error that a statement has thrown. @param role - the role that the login must be granted */
export function toStoreError(error: unknown, role: ConnectedRole): ProviderError {
  if (isProviderError(error)) return error;
  const code = error instanceof pg.DatabaseError ? error.code : undefined;
  if (code === undefined) return unavailable('Postgres does not answer');
  const [field, allowed] = FIELDS[columnOf(error as pg.DatabaseError)] ?? [];
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
