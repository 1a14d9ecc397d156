/**
 * The session of an administrator, whose login migrates the schema and creates the logins of services. Only a person or
 * a deployment uses it, so a login that does not fit is a setting to correct, and not a reason to try again.
 */
import pg from 'pg';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { URL_SETTINGS, urlSource } from './roles.js';
import { withSession } from './session.js';
import { toStoreError } from './store-errors.js';

export type AdministratorSession = pg.Client;

const SETTING = URL_SETTINGS.provider_owner;
/** Postgres 13 has no SQL-standard function bodies, which the schema uses. */
const OLDEST_POSTGRES = 14;

/** By SQLSTATE, or by its class. */
const REFUSALS: Readonly<Record<string, string>> = {
  '28': `Postgres refuses the login: check its name and password in ${urlSource('provider_owner')}`,
  '3D': `the database does not exist: create it, or correct its name in ${urlSource('provider_owner')}`,
  '25006': `the server is read-only: set ${SETTING} to the primary server`,
  '42501':
    'the database login may not migrate: it must own the database, and either have CREATEROLE or (also if another ' +
    `login has created these roles) be granted provider_owner and provider_auditor; set ${SETTING} to the URL of such a login`,
};

/**
 * @param databaseUrl - for a login that owns the database and may create roles; it need not be a superuser
 * @throws ProviderError `SetupInvalid` if the login, the database or the server does not fit, `StoreUnavailable`
 */
export async function withAdministrator<Result>(
  databaseUrl: string,
  work: (session: AdministratorSession) => Promise<Result>,
): Promise<Result> {
  try {
    return await withSession(databaseUrl, async (session) => {
      const { rows } = await session.query<{ version: string }>(
        "select current_setting('server_version_num') as version",
      );
      requireVersion(Number(rows[0]?.version));
      return await work(session);
    });
  } catch (error) {
    throw administratorError(error);
  }
}

/** @param version - as `server_version_num` has it: 180004 for 18.4 */
export function requireVersion(version: number): void {
  const major = Math.floor(version / 10_000);
  if (major >= OLDEST_POSTGRES) return;
  throw refused(`Postgres ${major} is too old: use Postgres ${OLDEST_POSTGRES} or later`);
}

function administratorError(error: unknown): ProviderError {
  if (isProviderError(error)) return error;
  const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
  const refusal = REFUSALS[code] ?? REFUSALS[code.slice(0, 2)];
  if (refusal) return refused(refusal);
  const mapped = toStoreError(error, 'provider_owner');
  return code
    ? mapped
    : new ProviderError(mapped.type, `${mapped.message}: check host and port in ${urlSource('provider_owner')}`);
}

function refused(message: string): ProviderError {
  return new ProviderError('SetupInvalid', message, { fields: [SETTING] });
}
