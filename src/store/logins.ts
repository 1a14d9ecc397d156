/** Logins for the parts that development and tests start. In production an administrator makes them: `docs/data.md`. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { withSession } from './session.js';
import { toStoreError } from './store-errors.js';

export type GrantedRole = 'provider_resolver' | 'provider_manager' | 'provider_tenant';

/**
 * Makes a login of a random name and password that was granted `role`.
 *
 * @param adminUrl - for a login that may create roles, in a database that is migrated
 * @returns the database's URL for the new login; it holds the password
 * @throws ProviderError `StoreUnavailable`
 */
export async function createLogin(adminUrl: string, role: GrantedRole): Promise<string> {
  const login = `${role}_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(18).toString('base64url');
  const create = `create role ${login} login password ${pg.escapeLiteral(password)} in role ${role}`;
  await withSession(adminUrl, (session) => session.query(create)).catch((error) => {
    throw toStoreError(error, 'CREATEROLE');
  });
  const url = new URL(adminUrl);
  url.username = login;
  url.password = password;
  return url.href;
}
