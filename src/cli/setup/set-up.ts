/**
 * From an administrator's database URL to a set-up: the schema, a login for workers and one for managers, the root key,
 * and the keys of grants. Running it again completes what is missing and changes nothing else. The passwords and keys
 * are kept before the logins exist, so that no login is left behind whose password nobody has.
 */
import { randomBytes } from 'node:crypto';
import { generateGrantKey, parseSigningKey } from '../../grants/grant-keys.js';
import { isProviderError, ProviderError } from '../../protocol/errors.js';
import { parseLocalKeyring } from '../../sealing/local-keyring.js';
import { type AdministratorSession, withAdministrator } from '../../store/administrator.js';
import { checkLogin, createLogins, existingLogins, type Login, lockLogins, newPassword } from '../../store/logins.js';
import { migrate } from '../../store/migrate.js';
import { URL_SETTINGS } from '../../store/roles.js';
import { hasDataKeys } from '../../store/sealed-data.js';
import { loginUrl, nameOfLogin } from './login-urls.js';
import { PART_NAMES, PARTS, type Part, type SetupDestination, type SetupSettings } from './setup-files.js';

export interface SetUpOptions {
  readonly adminUrl: string;
  /** What the names of the logins begin with. Default: the name of the database. */
  readonly loginPrefix?: string | undefined;
  /** The root keys to use, as in `ENCRYPTION_KEY`. Default: those that are kept, otherwise a new one. */
  readonly rootKeys?: string | undefined;
}

export interface SetUp {
  /** The migrations that were applied now. */
  readonly applied: readonly string[];
  readonly logins: readonly { readonly login: string; readonly role: string; readonly created: boolean }[];
  readonly written: readonly Part[];
  readonly settings: SetupSettings;
}

const LOGINS = { worker: 'provider_resolver', manager: 'provider_manager' } as const;

type LoginPart = keyof typeof LOGINS;

/**
 * @throws ProviderError `SetupInvalid` with all that must be corrected first, `StoreUnavailable`. What was done until
 *   then is complete, and running it again does the rest
 */
export function setUp(options: SetUpOptions, destination: SetupDestination): Promise<SetUp> {
  return withAdministrator(options.adminUrl, async (session) => {
    await lockLogins(session);
    const kept = await destination.read();
    const plan = await planLogins(session, options, kept);
    const problems = [...plan.problems, ...missingPrivateKeys(kept)];
    if (problems.length > 0) throw new ProviderError('SetupInvalid', problems.join('\n'), { fields: ['--folder'] });
    const applied = await migrate(options.adminUrl);
    const settings = await complete(kept, plan.urls, () => rootKeysOf(session, options, kept));
    const missing = plan.logins.filter(({ exists }) => !exists);
    const written = PART_NAMES.filter((part) => kept[part] === undefined);
    await createLogins(session, missing, async () => {
      for (const part of written) await destination.write(part, settings[part]);
    });
    await checkLogins(settings);
    const logins = plan.logins.map(({ name, role, exists }) => ({ login: name, role, created: !exists }));
    return { applied, logins, written, settings };
  });
}

interface LoginPlan {
  readonly logins: readonly (Login & { readonly exists: boolean })[];
  readonly urls: Readonly<Record<LoginPart, string>>;
  readonly problems: readonly string[];
}

async function planLogins(
  session: AdministratorSession,
  options: SetUpOptions,
  kept: Partial<SetupSettings>,
): Promise<LoginPlan> {
  const problems: string[] = [];
  const known = { worker: kept.worker?.PROVIDER_DATABASE_URL, manager: kept.manager?.PROVIDER_MANAGER_DATABASE_URL };
  const urls = {
    worker: known.worker ?? loginUrl(options, 'worker', newPassword()),
    manager: known.manager ?? loginUrl(options, 'manager', newPassword()),
  };
  const parts = Object.keys(LOGINS) as LoginPart[];
  const existing = await existingLogins(
    session,
    parts.map((part) => nameOfLogin(urls[part])),
  );
  for (const part of parts) {
    const { file } = PARTS[part];
    const name = nameOfLogin(urls[part]);
    if (known[part] === undefined && existing.has(name)) problems.push(unknownPassword(name, file));
    if (new URL(urls[part]).pathname !== new URL(options.adminUrl).pathname) {
      problems.push(
        `${file} is for another database than ${URL_SETTINGS.provider_owner}: give each database its own --folder`,
      );
    }
  }
  const logins = parts.map((part) => ({
    name: nameOfLogin(urls[part]),
    role: LOGINS[part],
    password: decodeURIComponent(new URL(urls[part]).password),
    exists: existing.has(nameOfLogin(urls[part])),
  }));
  return { logins, urls, problems };
}

function unknownPassword(login: string, file: string): string {
  return (
    `the login ${login} exists, but its password is not known here: there is no ${file} with it. If init made it ` +
    `elsewhere, copy that ${file} into the folder; if nothing uses the login, run \`drop role "${login.replaceAll('"', '""')}"\`; ` +
    'otherwise choose other names with --login-prefix'
  );
}

/** Workers accept only the keys in their file. A new private key would need a change of it. */
function missingPrivateKeys({ worker, ...others }: Partial<SetupSettings>): string[] {
  if (!worker) return [];
  return (['starter', 'manager'] as const)
    .filter((part) => others[part] === undefined)
    .map(
      (part) =>
        `${PARTS[part].file} is missing, and ${PARTS.worker.file} accepts only the signing key that was in it: put it ` +
        'back. If it is lost, make another key with `workspace-providers grants create-key`, and set ' +
        `PROVIDER_GRANT_SIGNING_KEY in a new ${PARTS[part].file} and PROVIDER_GRANT_KEYS in ${PARTS.worker.file} to its files`,
    );
}

async function rootKeysOf(
  session: AdministratorSession,
  { rootKeys }: SetUpOptions,
  { manager, worker }: Partial<SetupSettings>,
): Promise<string> {
  const known = manager?.ENCRYPTION_KEY ?? worker?.ENCRYPTION_KEY ?? rootKeys;
  if (known !== undefined) {
    parseLocalKeyring(known);
    return known;
  }
  if (await hasDataKeys(session)) {
    throw ProviderError.setupInvalid(
      'ENCRYPTION_KEY',
      'is not set, and the database has data that is sealed under a root key: set it to that root key',
    );
  }
  return `key-1:${randomBytes(32).toString('base64')}`;
}

async function complete(
  kept: Partial<SetupSettings>,
  urls: LoginPlan['urls'],
  rootKeys: () => Promise<string>,
): Promise<SetupSettings> {
  const ENCRYPTION_KEY = await rootKeys();
  const starter = kept.starter ?? { PROVIDER_GRANT_SIGNING_KEY: await newSigningKey('workspace') };
  const manager = kept.manager ?? {
    PROVIDER_MANAGER_DATABASE_URL: urls.manager,
    ENCRYPTION_KEY,
    PROVIDER_GRANT_SIGNING_KEY: await newSigningKey('operator'),
  };
  const worker = kept.worker ?? {
    PROVIDER_DATABASE_URL: urls.worker,
    ENCRYPTION_KEY,
    PROVIDER_GRANT_KEYS: JSON.stringify({
      keys: [publicKey(starter.PROVIDER_GRANT_SIGNING_KEY), publicKey(manager.PROVIDER_GRANT_SIGNING_KEY)],
    }),
  };
  return { starter, manager, worker };
}

async function newSigningKey(kind: 'workspace' | 'operator'): Promise<string> {
  return JSON.stringify((await generateGrantKey([kind])).signingKey);
}

function publicKey(signingKey: string) {
  const { d: _private, ...shown } = parseSigningKey(signingKey);
  return shown;
}

/** The logins work from here, with the rights of their roles. */
async function checkLogins({ worker, manager }: SetupSettings): Promise<void> {
  const checks = [
    [PARTS.worker.file, worker.PROVIDER_DATABASE_URL, LOGINS.worker],
    [PARTS.manager.file, manager.PROVIDER_MANAGER_DATABASE_URL, LOGINS.manager],
  ] as const;
  for (const [file, url, role] of checks) {
    await checkLogin(url, role).catch((error) => {
      throw isProviderError(error) ? new ProviderError(error.type, `${file}: ${error.message}`, error.facts) : error;
    });
  }
}
