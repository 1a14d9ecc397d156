/** The roles of logins, and the settings that have the URL of a login with that role. */

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
