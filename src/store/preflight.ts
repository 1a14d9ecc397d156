/**
 * Checks, before anything else is read, that the database login has no more rights than its role, and that row-level
 * security is complete. Row-level security does not bind superusers, roles with BYPASSRLS and owners of tables, so it
 * does not limit a process that can become one of these. And if somebody removes a part of it for an afternoon, nothing
 * else notices. The checks rely on the catalog, which every login may read.
 */
import { ProviderError } from '../protocol/errors.js';
import { latestMigration } from './migration-files.js';
import type { Database } from './pool.js';
import { FINDINGS } from './preflight-findings.js';
import { type ConnectedRole, tooOld, URL_SETTINGS, useAnotherLogin } from './roles.js';
import { atStart } from './store-errors.js';

export type StoreRole = Exclude<ConnectedRole, 'provider_owner'>;

const LATEST_MIGRATION = { name: 'latest_migration', text: 'select provider_api.latest_migration() as name' };

const MIGRATE = 'run `workspace-providers migrate`';
const REPAIR = 'run `workspace-providers migrate --repair`';

/** In the order in which a person would correct the faults. */
const REFUSALS: readonly (readonly [finding: string, why: (names: string, role: StoreRole) => string])[] = [
  ['too_old', (version, role) => `${tooOld(version)}, and set ${URL_SETTINGS[role]} to it`],
  [
    'standby',
    (_, role) =>
      `the server is a standby, which takes no changes: set ${URL_SETTINGS[role]} to the primary server, or try again ` +
      'when the standby was promoted',
  ],
  [
    'unbound',
    (_, role) => `the database login is, or can become, a superuser or a role with BYPASSRLS: ${useAnotherLogin(role)}`,
  ],
  ['unmigrated', () => `the database is not migrated: ${MIGRATE}`],
  [
    'owner',
    (names, role) =>
      `the database login owns tables or functions, or can become their owner (${names}): ${useAnotherLogin(role)}`,
  ],
  [
    'touches_tables',
    (names, role) =>
      `the database login can access tables (${names}): revoke its table privileges, or ${useAnotherLogin(role)}`,
  ],
  ['unforced', (names) => `row-level security is not in force on ${names}: ${REPAIR}`],
  ['without_policy', (names) => `the row-level security policy of ${names} is missing or was changed: ${REPAIR}`],
  ['opened', (names) => `a policy that is not part of the schema opens row-level security (${names}): ${REPAIR}`],
  ['granted', (names) => `rights were granted beside those of the schema (${names}): ${REPAIR}`],
  ['granted_by_default', (names) => `default privileges open the objects that ${names} will create: ${REPAIR}`],
  [
    'trigger_off',
    (names) => `triggers that the fence and the audit rely on are missing or not in force (${names}): ${REPAIR}`,
  ],
  [
    'unbound_function',
    (names) =>
      `row-level security does not bind the owner of ${names}: ` +
      'run `alter function provider_api.… owner to provider_owner`',
  ],
  [
    'unpinned',
    (names) =>
      `search_path is not pinned by ${names}: ` +
      'run `alter function provider_api.… set search_path = pg_catalog, pg_temp`',
  ],
  [
    'forbidden',
    (_, role) =>
      `the database login cannot ${role === 'provider_manager' ? 'manage' : 'read'} providers: grant it ${role}, or ` +
      useAnotherLogin(role),
  ],
];

/** How many names an error shows at most. */
const NAMES_SHOWN = 5;

/** @throws ProviderError `SetupInvalid` if something must be corrected first, `StoreUnavailable` */
export async function preflight(database: Database, role: StoreRole): Promise<void> {
  try {
    await check(database, role);
  } catch (error) {
    throw atStart(error);
  }
}

async function check(database: Database, role: StoreRole): Promise<void> {
  const [first] = await listRefusals(database, role);
  if (first) throw refused(first.message, role);
}

export interface Refusal {
  /** What is checked: the login itself, the version of the schema, or the rights and triggers of the schema. */
  readonly about: 'login' | 'schema' | 'guards';
  /** What is wrong, and what to do. */
  readonly message: string;
  /** Whether the database has no schema yet. */
  readonly isUnmigrated: boolean;
}

/**
 * Everything that the preflight would refuse, in the order in which a person would correct it.
 *
 * @throws ProviderError `StoreUnavailable`
 */
export async function listRefusals(database: Database, role: StoreRole): Promise<readonly Refusal[]> {
  const found = await database.query<{ finding: string; name: string }>(FINDINGS, [role]);
  const refusals = REFUSALS.flatMap(([finding, why]): Refusal[] => {
    const names = found.filter((row) => row.finding === finding).map(({ name }) => name);
    if (names.length === 0) return [];
    const message = why(names.sort().slice(0, NAMES_SHOWN).join(', '), role);
    return [{ about: ABOUT[finding] ?? 'guards', message, isUnmigrated: finding === 'unmigrated' }];
  });
  // Without the function that tells the version, or the right to call it, the version cannot be asked for.
  if (found.some(({ finding }) => finding === 'unmigrated' || finding === 'forbidden')) return refusals;
  const [applied] = await database.query<{ name: string }>(LATEST_MIGRATION, []);
  // A newer database is fine: migrations are append-only, and workers are replaced one by one.
  if (applied && applied.name >= latestMigration()) return refusals;
  const message = `the database is older than this build: ${MIGRATE}`;
  return [...refusals, { about: 'schema', message, isUnmigrated: false }];
}

/** The findings that are not about the rights and triggers of the schema. */
const ABOUT: Readonly<Record<string, Refusal['about']>> = {
  too_old: 'login',
  standby: 'login',
  unbound: 'login',
  owner: 'login',
  touches_tables: 'login',
  forbidden: 'login',
  unmigrated: 'schema',
};

export interface CheckedDatabase extends Database {
  /** Runs the check. Its result does not end what already passed once: a mistaken grant must not stop a kill switch. */
  preflight(): Promise<void>;
}

/** A database that is checked before its first statement. If the check fails, it runs again before the next one. */
export function checkedFirst(database: Database, role: StoreRole): CheckedDatabase {
  let passed: Promise<void> | undefined;
  const checked = () => {
    passed ??= preflight(database, role).catch((error) => {
      passed = undefined;
      throw error;
    });
    return passed;
  };
  return {
    preflight: () => (passed ? preflight(database, role) : checked()),
    close: () => database.close(),
    async query(...statement) {
      await checked();
      return database.query(...statement);
    },
  };
}

function refused(why: string, role: StoreRole): ProviderError {
  return new ProviderError('SetupInvalid', why, { fields: [URL_SETTINGS[role]] });
}
