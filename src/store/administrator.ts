/**
 * The session of an administrator, whose login migrates the schema and creates the logins of services. Only a person or
 * a deployment uses it, so a login that does not fit is a setting to correct, and not a reason to try again.
 */
import pg from 'pg';
import { ProviderError } from '../protocol/errors.js';
import { OLDEST_POSTGRES, tooOld, URL_SETTINGS } from './roles.js';
import { withSession } from './session.js';
import { atStart, toStoreError } from './store-errors.js';

export type AdministratorSession = pg.Client;

const SETTING = URL_SETTINGS.provider_owner;
/** By SQLSTATE: what an administrator meets, and a service does not. */
const REFUSALS: Readonly<Record<string, string>> = {
  '25006': `the server is read-only, as a standby is: set ${SETTING} to the primary server`,
  '42501':
    'the database login may not migrate: it must own the database, and either have CREATEROLE or (also if another ' +
    `login has created these roles) be granted provider_owner and provider_auditor; set ${SETTING} to the URL of such a login`,
  '42P07':
    'the database has a table of another origin with a name that this schema needs, such as workspace_providers: rename ' +
    `that table, or set ${SETTING} to another database`,
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

/**
 * Checks that the login may migrate, and changes nothing.
 *
 * @throws ProviderError `SetupInvalid`, `StoreUnavailable`
 */
export function checkAdministrator(databaseUrl: string): Promise<void> {
  return withAdministrator(databaseUrl, async (session) => {
    const { rows } = await session.query<{ may: boolean; standby: boolean }>(MAY_MIGRATE);
    if (rows[0]?.standby) throw refused(REFUSALS['25006'] ?? '');
    if (!rows[0]?.may) throw refused(REFUSALS['42501'] ?? '');
  });
}

const MAY_MIGRATE = `
  select pg_is_in_recovery() as standby,
    pg_has_role((select datdba from pg_database where datname = current_database()), 'usage') and (
      (select rolsuper or rolcreaterole from pg_roles where rolname = current_user)
      or (select count(*) = 2 from pg_roles
        where rolname in ('provider_owner', 'provider_auditor') and pg_has_role(oid, 'member'))
    ) as may`;

/** @param version - as `server_version_num` has it: 180004 for 18.4 */
export function requireVersion(version: number): void {
  const major = Math.floor(version / 10_000);
  if (major >= OLDEST_POSTGRES) return;
  throw refused(`${tooOld(String(major))}, and set ${SETTING} to it`);
}

function administratorError(error: unknown): unknown {
  const refusal = error instanceof pg.DatabaseError ? REFUSALS[error.code ?? ''] : undefined;
  return refusal ? refused(refusal) : atStart(toStoreError(error, 'provider_owner'));
}

function refused(message: string): ProviderError {
  return new ProviderError('SetupInvalid', message, { fields: [SETTING] });
}
