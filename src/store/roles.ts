/** What a database needs: the roles of logins, the settings that have the URL of a login with a role, a Postgres. */

/** A role that a service's login is granted. */
export type GrantedRole = 'provider_resolver' | 'provider_manager' | 'provider_tenant';

/** The roles of the logins that this package connects with. The one that migrates is a member of `provider_owner`. */
export type ConnectedRole = 'provider_resolver' | 'provider_manager' | 'provider_owner';

export const URL_SETTINGS: Readonly<Record<ConnectedRole, string>> = {
  provider_resolver: 'PROVIDER_DATABASE_URL',
  provider_manager: 'PROVIDER_MANAGER_DATABASE_URL',
  provider_owner: 'PROVIDER_ADMIN_DATABASE_URL',
};

/** Where the URL of a login may come from, for messages about a URL that does not work. */
export function urlSource(role: ConnectedRole): string {
  return `${URL_SETTINGS[role]}, or in DATABASE_URL if that is not set`;
}

/** What to do about a login that does not fit, for messages. */
export function useAnotherLogin(role: ConnectedRole): string {
  return `set ${URL_SETTINGS[role]} to the URL of a login that is granted only ${role}`;
}

/** Postgres 13 has no SQL-standard function bodies, which the schema uses. */
export const OLDEST_POSTGRES = 14;

/** @param version - the server's, for a person */
export function tooOld(version: string): string {
  return `Postgres ${version} is too old: use Postgres ${OLDEST_POSTGRES} or later`;
}
