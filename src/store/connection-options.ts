/**
 * How a database URL is connected to. The parameters for TLS have libpq's names, and are read here and not by pg: its
 * meaning of `sslmode` differs between its major versions, and it warns of that at every start.
 */
import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { ProviderError } from '../protocol/errors.js';
import { rememberOwnSecret, rememberPasswordOf } from '../redaction/opened-secrets.js';

type TlsOptions = Exclude<pg.ClientConfig['ssl'], boolean | undefined>;

type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full' | 'no-verify';

/** libpq's `allow` and `prefer` are not among them: they protect from nobody, because the other side decides. */
const MODES: readonly string[] = ['disable', 'require', 'verify-ca', 'verify-full', 'no-verify'] satisfies TlsMode[];
const FILES = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' } as const;
/** libpq's word for the certificates that the system trusts. Node trusts its own list, and `NODE_EXTRA_CA_CERTS`. */
const SYSTEM = 'system';

/**
 * Returns pg's options for a URL. `sslmode` means what it means to libpq, except that `require` verifies the server's
 * certificate too, as `verify-full` does. Without `sslmode` and without certificates there is no TLS.
 *
 * @throws ProviderError `SetupInvalid` if the URL is not valid, or a file that it names cannot be read
 */
export function connectionOptions(databaseUrl: string): Pick<pg.ClientConfig, 'connectionString' | 'ssl'> {
  const url = new URL(checkDatabaseUrl(databaseUrl));
  const parameters = Object.fromEntries(url.searchParams);
  const names = ['sslmode', ...Object.keys(FILES)].filter((name) => name in parameters);
  if (names.length === 0) return { connectionString: databaseUrl };
  const ssl = tlsOptions(modeOf(parameters), parameters);
  for (const name of names) url.searchParams.delete(name);
  return { connectionString: url.href, ssl };
}

/** Checks the URL before pg does: if a URL does not parse, pg's error contains all of it. */
export function checkDatabaseUrl(databaseUrl: string): string {
  if (/^postgres(ql)?:/.test(databaseUrl) && URL.canParse(databaseUrl)) {
    rememberPasswordOf(databaseUrl);
    return databaseUrl;
  }
  throw refused('databaseUrl must be postgres://login:password@host/database');
}

type Parameters = Readonly<Record<string, string>>;

function modeOf({ sslmode = 'verify-full', sslrootcert }: Parameters): TlsMode {
  if (!MODES.includes(sslmode)) {
    throw refused(`sslmode in the database URL must be one of ${MODES.join(', ')}`);
  }
  if (sslmode === 'verify-ca' && (sslrootcert === undefined || sslrootcert === SYSTEM)) {
    throw refused(
      'sslmode=verify-ca in the database URL needs sslrootcert=<file>: anybody can have a certificate of a public ' +
        'authority; use verify-full for one',
    );
  }
  return sslmode as TlsMode;
}

function tlsOptions(mode: TlsMode, parameters: Parameters): TlsOptions | false {
  if (mode === 'disable') return false;
  const files = Object.entries(FILES).flatMap(([name, option]) => {
    const path = parameters[name];
    return path === undefined || path === SYSTEM ? [] : [[option, read(name, path)] as const];
  });
  return {
    ...Object.fromEntries(files),
    // Explicitly, because NODE_TLS_REJECT_UNAUTHORIZED changes the default.
    rejectUnauthorized: mode !== 'no-verify',
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}

function read(name: string, path: string): string {
  try {
    const content = readFileSync(path, 'utf8');
    if (name === 'sslkey') rememberOwnSecret(content);
    return content;
  } catch {
    throw refused(
      `the file that ${name} names in the database URL cannot be read: check its path (best an absolute one) and its permissions`,
    );
  }
}

function refused(message: string): ProviderError {
  return new ProviderError('SetupInvalid', message, { fields: ['databaseUrl'] });
}
