/** Creates logins for development and tests. In production an administrator creates them: `docs/data.md`. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import { withSession } from './session.js';
import { toStoreError } from './store-errors.js';

export type GrantedRole = 'provider_resolver' | 'provider_manager' | 'provider_tenant';

/**
 * Creates a login with a random name and password, and grants it `role`.
 *
 * @param adminUrl - for a login that may create roles, in a database that is migrated
 * @returns the database's URL for the new login, with the password in it
 * @throws ProviderError `StoreUnavailable`
 */
export async function createLogin(adminUrl: string, role: GrantedRole): Promise<string> {
  const login = `${role}_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(18).toString('base64url');
  const create = `create role ${login} login password ${pg.escapeLiteral(scramVerifier(password))} in role ${role}`;
  await withSession(adminUrl, (session) => session.query(create)).catch((error) => {
    throw toStoreError(error, 'CREATEROLE');
  });
  const url = new URL(adminUrl);
  url.username = login;
  url.password = password;
  return url.href;
}

/** The verifier of RFC 5803 that Postgres stores. A server that logs statements would log a plaintext password. */
function scramVerifier(password: string): string {
  const [salt, iterations] = [randomBytes(16), 4_096];
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}
