/**
 * Creates the logins of services. A statement has the SCRAM verifier of a password, never the password: a server that
 * logs statements would log it.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import { ProviderError } from '../protocol/errors.js';
import { type AdministratorSession, withAdministrator } from './administrator.js';
import { type Database, openDatabase } from './pool.js';
import { listRefusals, preflight, type Refusal, type StoreRole } from './preflight.js';
import { type GrantedRole, URL_SETTINGS } from './roles.js';
import { atStart } from './store-errors.js';

export interface Login {
  readonly name: string;
  readonly role: GrantedRole;
  readonly password: string;
}

/** Any number; the same in all builds. Of two programs that create logins in one database, one waits. */
const LOGINS_LOCK = 7_241_853;
/** How long to wait for another program that creates logins. */
const LOCK_TIMEOUT_MS = 60_000;

/** Random, and in characters that need no escape in a URL. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

/**
 * Creates a login with a random name and password for development and tests, and grants it `role`.
 *
 * @param adminUrl - for a login that may create roles, in a database that is migrated
 * @returns the database's URL for the new login, with the password in it
 * @throws ProviderError `SetupInvalid`, `StoreUnavailable`
 */
export async function createLogin(adminUrl: string, role: GrantedRole): Promise<string> {
  const login = { name: `${role}_${randomBytes(6).toString('hex')}`, role, password: newPassword() };
  await withAdministrator(adminUrl, (session) => session.query(createStatement(login)));
  const url = new URL(adminUrl);
  url.username = login.name;
  url.password = login.password;
  return url.href;
}

/** Excludes other programs that create logins in this database, until the session ends. */
export async function lockLogins(session: AdministratorSession): Promise<void> {
  await session.query(`set lock_timeout = ${LOCK_TIMEOUT_MS}`);
  await session.query('select pg_advisory_lock($1)', [LOGINS_LOCK]).catch((error) => {
    if (!hasCode(error, '55P03')) throw error;
    throw new ProviderError(
      'StoreUnavailable',
      `another program has been creating logins in this database for more than ${LOCK_TIMEOUT_MS / 1_000} s: ` +
        'wait until it ends, or end it',
    );
  });
}

/** Returns which of these logins the server has. */
export async function existingLogins(
  session: AdministratorSession,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await session.query<{ rolname: string }>('select rolname from pg_roles where rolname = any ($1)', [
    names,
  ]);
  return new Set(rows.map(({ rolname }) => rolname));
}

/**
 * Creates logins that may connect to this database, and calls `deliver` before they exist for anybody else: if it
 * throws, none is created.
 *
 * @throws ProviderError `SetupInvalid` if the administrator may not create them
 */
export async function createLogins(
  session: AdministratorSession,
  logins: readonly Login[],
  deliver: () => Promise<void>,
): Promise<void> {
  await session.query('begin');
  try {
    for (const login of logins) {
      await session.query(createStatement(login)).catch((error) => {
        throw creationError(error, login);
      });
      await letConnect(session, login.name);
    }
    await deliver();
    await session.query('commit');
  } catch (error) {
    await session.query('rollback').catch(() => {});
    throw error;
  }
}

/** Drops those of the logins that exist. They must own nothing. @throws ProviderError `SetupInvalid`, `StoreUnavailable` */
export function dropLogins(adminUrl: string, names: readonly string[]): Promise<void> {
  return withAdministrator(adminUrl, async (session) => {
    for (const name of await existingLogins(session, names)) {
      const login = pg.escapeIdentifier(name);
      const { rows } = await session.query<{ database: string }>('select current_database() as database');
      await session.query(`revoke connect on database ${pg.escapeIdentifier(rows[0]?.database ?? '')} from ${login}`);
      await session.query(`drop role ${login}`);
    }
  });
}

/** By default every login may connect to every database; an administrator may have revoked that. */
async function letConnect(session: AdministratorSession, login: string): Promise<void> {
  const { rows } = await session.query<{ database: string; may: boolean }>(
    "select current_database() as database, has_database_privilege($1, current_database(), 'connect') as may",
    [login],
  );
  const [found] = rows;
  if (!found || found.may) return;
  await session.query(
    `grant connect on database ${pg.escapeIdentifier(found.database)} to ${pg.escapeIdentifier(login)}`,
  );
}

/**
 * Checks that a login can connect, and that it has exactly the rights of its role.
 *
 * @throws ProviderError `SetupInvalid`, `StoreUnavailable`
 */
export function checkLogin(databaseUrl: string, role: StoreRole): Promise<void> {
  return withOneConnection(databaseUrl, role, (database) => preflight(database, role));
}

/**
 * Everything that {@link checkLogin} would refuse.
 *
 * @throws ProviderError `SetupInvalid` if the login cannot connect, `StoreUnavailable`
 */
export function refusalsOfLogin(databaseUrl: string, role: StoreRole): Promise<readonly Refusal[]> {
  return withOneConnection(databaseUrl, role, (database) =>
    listRefusals(database, role).catch((error) => {
      throw atStart(error);
    }),
  );
}

async function withOneConnection<Result>(
  databaseUrl: string,
  role: StoreRole,
  use: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = openDatabase({ databaseUrl, maxConnections: 1, preparedStatements: false }, role);
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

function createStatement({ name, role, password }: Login): string {
  const verifier = pg.escapeLiteral(scramVerifier(password));
  return `create role ${pg.escapeIdentifier(name)} login password ${verifier} in role ${role}`;
}

function creationError(error: unknown, { name, role }: Login): unknown {
  const fields = [URL_SETTINGS.provider_owner];
  if (hasCode(error, '42501')) {
    return new ProviderError(
      'SetupInvalid',
      `the login of ${fields[0]} may not create the login ${name} with ${role}: an administrator must run ` +
        `\`alter role … createrole\` and \`grant ${role} to … with admin option\` for it`,
      { fields },
    );
  }
  if (!hasCode(error, '22')) return error;
  return new ProviderError(
    'SetupInvalid',
    `the server does not take the SCRAM verifier of a password for the login ${name}: create the logins as your ` +
      'provider of Postgres describes, and grant each its role (docs/data.md)',
    { fields },
  );
}

/** @param code - a SQLSTATE, or the class that it begins with */
function hasCode(error: unknown, code: string): boolean {
  return error instanceof pg.DatabaseError && error.code?.startsWith(code) === true;
}

/** The verifier of RFC 5803 that Postgres stores. */
function scramVerifier(password: string): string {
  const [salt, iterations] = [randomBytes(16), 4_096];
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}
