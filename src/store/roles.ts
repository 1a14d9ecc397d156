/** The roles of logins, and the setting that has the URL of a login with that role. */

/** A role that a service's login is granted. */
export type GrantedRole = 'provider_resolver' | 'provider_manager' | 'provider_tenant';

/** The login that migrates owns the database; it is a member of `provider_owner`. */
type ConnectedRole = 'provider_resolver' | 'provider_manager' | 'provider_owner';

export const URL_SETTINGS: Readonly<Record<ConnectedRole, string>> = {
  provider_resolver: 'PROVIDER_DATABASE_URL',
  provider_manager: 'PROVIDER_MANAGER_DATABASE_URL',
  provider_owner: 'PROVIDER_ADMIN_DATABASE_URL',
};
