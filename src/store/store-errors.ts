/**
 * What Postgres and its client say, in our words. Their own messages never cross: a constraint violation's detail prints
 * the row, and a connection error may print the address with its password.
 */
import pg from 'pg';
import { isProviderError, ProviderError } from '../protocol/errors.js';

/** The column that a constraint guards (it bears its name), as callers know it, and what may stand there. */
const FIELDS: Readonly<Record<string, readonly [field: string, allowed: string]>> = {
  workspace_id: ['workspaceId', '1 to 128 of A-Z a-z 0-9 _ . : -'],
  provider_type: ['type', '1 to 32 of a-z 0-9 -, a letter first'],
  provider_name: ['name', '1 to 64 of a-z 0-9 _ . : -'],
  config: ['config', 'a JSON object of at most 16 kB'],
  encrypted_config: ['encryptedConfig', 'a compact JWE of at most 128 kB'],
  status: ['status', 'active or disabled'],
  rotate_every: ['rotateEvery', 'longer than nothing, and at most 100 years'],
  last_check_outcome: ['outcome', 'ok, rejected or cannot-tell'],
  kid: ['kid', '1 to 128 of A-Z a-z 0-9 _ . : -'],
  wrapped_key: ['wrappedKey', 'at most 8 kB of printable ASCII'],
  root_key_id: ['rootKeyId', 'at most 2 kB of printable ASCII'],
};

const JSON_ERRORS: readonly string[] = ['22P02', '22P05'];

/** What `error`, thrown by a statement of a login that was granted `role`, means to a caller. */
export function toStoreError(error: unknown, role: string): ProviderError {
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
      return new ProviderError('ProviderConfigInvalid', 'a value cannot be stored');
    case '28':
      return unavailable('Postgres refuses the login: check its name and password');
    case '3D':
      return unavailable('there is no such database');
  }
  switch (code) {
    case '42501':
      return unavailable(`the database login may not do this: grant it the role ${role}`);
    case '26000':
    case '42P05':
      return unavailable(
        'a pooler in transaction mode is in between, and prepared statements are on: set PROVIDER_PREPARED_STATEMENTS=false',
      );
    case '3F000':
    case '42883':
      return unavailable('the database is not migrated: run `workspace-providers migrate`');
    default:
      return unavailable(`Postgres refused a statement (SQLSTATE ${code})`);
  }
}

/** Whether all that went wrong was another transaction at the same moment: a serialization failure, a deadlock. */
export function asksToRepeat(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01');
}

function columnOf({ constraint, column, code = '' }: pg.DatabaseError): string {
  // Of what callers hand in, only the config is parsed. JSON can say what jsonb cannot hold: a NUL, half a surrogate.
  return constraint ?? column ?? (JSON_ERRORS.includes(code) ? 'config' : '');
}

function unavailable(message: string): ProviderError {
  return new ProviderError('StoreUnavailable', message);
}
