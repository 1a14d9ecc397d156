/** The database URLs of the logins that `init` creates: the administrator's URL, with another login. */
import { ProviderError } from '../../protocol/errors.js';

/** Postgres cuts longer names off. */
const LONGEST_NAME_BYTES = 63;
/** Its users are called `<login>.<project>`: the pooler finds the database by the project. */
const SUPABASE_POOLER = '.pooler.supabase.com';

/** @throws ProviderError `SetupInvalid` if the name is too long */
export function loginUrl(
  { adminUrl, loginPrefix }: { readonly adminUrl: string; readonly loginPrefix?: string | undefined },
  what: string,
  password: string,
): string {
  const url = new URL(adminUrl);
  const prefix = loginPrefix ?? (decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username));
  const login = `${prefix}_${what}`;
  if (Buffer.byteLength(login) > LONGEST_NAME_BYTES) {
    throw new ProviderError(
      'SetupInvalid',
      `the name of a login would be longer than ${LONGEST_NAME_BYTES} bytes: give a shorter prefix with --login-prefix`,
      { fields: ['--login-prefix'] },
    );
  }
  url.username = `${login}${projectOf(url)}`;
  url.password = password;
  // A quote in a URL is valid, but not in every file of settings.
  return url.href.replaceAll("'", '%27');
}

/** The name of the login at the server. */
export function nameOfLogin(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  const name = decodeURIComponent(url.username);
  return projectOf(url) === '' ? name : name.slice(0, name.lastIndexOf('.'));
}

/** `.<project>` for Supabase's pooler, otherwise nothing. */
function projectOf({ hostname, username }: URL): string {
  const name = decodeURIComponent(username);
  return hostname.endsWith(SUPABASE_POOLER) && name.includes('.') ? name.slice(name.lastIndexOf('.')) : '';
}
