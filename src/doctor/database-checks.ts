/** Checks of the database: its logins, its schema, what lies between it and this machine, its clock. */
import { ClockDifference } from '../fence/clock-difference.js';
import { checkAdministrator } from '../store/administrator.js';
import { hearsNotifications, type ProbedDatabase, probeDatabase, probePooling } from '../store/connection-probe.js';
import { refusalsOfLogin } from '../store/logins.js';
import { latestMigration } from '../store/migration-files.js';
import type { Refusal, StoreRole } from '../store/preflight.js';
import { URL_SETTINGS } from '../store/roles.js';
import { examine, type Finding, fail, ok, type Part, type Result, skipped, warn } from './finding.js';
import type { Setup } from './setup.js';

const LOGINS = { worker: 'provider_resolver', manager: 'provider_manager' } as const satisfies Record<
  string,
  StoreRole
>;
type Login = keyof typeof LOGINS;

export interface ExaminedDatabase {
  readonly findings: readonly Finding[];
  /** The URLs of logins with which nothing is wrong. */
  readonly sound: Partial<Record<Login, string>>;
}

export async function checkDatabase(setup: Setup, now: () => number): Promise<ExaminedDatabase> {
  const { worker, manager, administrator } = setup.urls;
  const looks = await Promise.all([lookAt('worker', worker), lookAt('manager', manager)]);
  const reached = looks.filter(({ refusals }) => refusals !== undefined);
  const probed = await Promise.all(
    reached.map(async ({ login, url = '' }) => ({ login, ...(await probeDatabase(url, LOGINS[login], now)) })),
  );
  const sound = looks.filter(({ refusals }) => refusals?.length === 0).map(({ login, url }) => [login, url]);
  const findings = [
    looks.flatMap(({ findings }) => findings),
    await examine('administrator login', () => checkAdministratorLogin(administrator)),
    await examine('schema', () => checkSchema(reached.map(({ refusals = [] }) => refusals))),
    await examine('row-level security', () => checkGuards(reached.map(({ refusals = [] }) => refusals))),
    await examine('one database', () => checkSameDatabase(probed)),
    await examine('clock', () => checkClock(probed[0])),
    await examine('pooler', () => Promise.all(reached.map((look) => checkPooler(look, setup)))),
    await examine('listening', () => checkListening(setup, reached.find(({ login }) => login === 'worker')?.url)),
  ].flat();
  return { findings, sound: Object.fromEntries(sound) };
}

interface Look {
  readonly login: Login;
  readonly url?: string;
  /** Absent if nobody could log in. */
  readonly refusals?: readonly Refusal[];
  readonly findings: readonly Finding[];
}

async function lookAt(login: Login, url: Part<string> | undefined): Promise<Look> {
  const role = LOGINS[login];
  let refusals: readonly Refusal[] | undefined;
  const findings = await examine(`${login} login`, async () => {
    if (!url) return skipped(`${URL_SETTINGS[role]} is not set: add the settings of a ${login} (--env-file)`);
    if ('problem' in url) return fail(url.problem);
    refusals = await refusalsOfLogin(url.value, role);
    // The others may be consequences of the first, as they are for a superuser.
    const first = refusals.find(({ about }) => about === 'login');
    return first ? fail(first.message) : ok(`${nameOf(url.value)} has the rights of ${role}, and no more`);
  });
  return { login, findings, ...(url && 'value' in url && { url: url.value }), ...(refusals && { refusals }) };
}

/** Login, host and database, without the password. */
function nameOf(url: string): string {
  const { username, host, pathname } = new URL(url);
  return `${username}@${host}${pathname}`;
}

async function checkAdministratorLogin(url: Part<string> | undefined): Promise<Result> {
  if (!url) return skipped(`${URL_SETTINGS.provider_owner} is not set: only \`init\` and \`migrate\` need it`);
  if ('problem' in url) return fail(url.problem);
  await checkAdministrator(url.value);
  return ok(`${nameOf(url.value)} may migrate`);
}

type Refusals = readonly (readonly Refusal[])[];

function checkSchema(of: Refusals): Result | readonly Result[] {
  return of.length === 0
    ? NO_LOGIN
    : failures(of, 'schema', `the schema of this build, ${latestMigration()}, or newer`);
}

function checkGuards(of: Refusals): Result | readonly Result[] {
  if (of.length === 0) return NO_LOGIN;
  if (of.flat().some(({ isUnmigrated }) => isUnmigrated)) return skipped('there is no schema yet');
  return failures(of, 'guards', 'policies, triggers and rights are those of the schema');
}

const NO_LOGIN = skipped('no login could connect');

/** Both logins see the same schema. */
function failures(of: Refusals, about: Refusal['about'], fine: string): Result | readonly Result[] {
  const messages = of.flat().filter((refusal) => refusal.about === about);
  const found = [...new Set(messages.map(({ message }) => message))];
  return found.length > 0 ? found.map(fail) : ok(fine);
}

function checkSameDatabase(probed: readonly (ProbedDatabase & { readonly login: Login })[]): Result {
  if (probed.length < 2) return skipped('only one login could be compared');
  if (new Set(probed.map(({ server }) => server)).size === 1) return ok('all logins lead to the same database');
  const settings = probed.map(({ login }) => URL_SETTINGS[LOGINS[login]]).join(' and ');
  return fail(`${settings} lead to different databases: set both to the one that has workspace_providers`);
}

function checkClock(probed: ProbedDatabase | undefined): Result {
  if (!probed) return NO_LOGIN;
  let difference: string | undefined;
  new ClockDifference((text) => {
    difference = text;
  }).observe(probed);
  return difference === undefined ? ok('the clocks of this machine and of Postgres agree') : fail(difference);
}

async function checkPooler({ login, url = '' }: Look, { preparedStatements }: Setup): Promise<Result> {
  const { perTransaction, prepares } = await probePooling(url, LOGINS[login], preparedStatements);
  if (!perTransaction) return ok(`the ${login} has sessions of its own`);
  if (prepares) return ok(`the ${login} connects through a pooler in transaction mode`);
  return fail(
    `the ${login} connects through a pooler in transaction mode, where prepared statements do not work: set ` +
      'PROVIDER_PREPARED_STATEMENTS=false',
  );
}

async function checkListening({ urls: { listen } }: Setup, workerUrl: string | undefined): Promise<Result> {
  if (workerUrl === undefined) return skipped('no worker could log in');
  if (listen && 'problem' in listen) return fail(listen.problem);
  const url = listen?.value ?? workerUrl;
  if (url === 'off') {
    return warn('PROVIDER_LISTEN_DATABASE_URL is off: a change reaches a worker only when it renews its lease');
  }
  if (await hearsNotifications(url, workerUrl, 'provider_resolver')) {
    return ok('a notification arrives');
  }
  return fail(
    'no notification arrives at the worker, as behind a pooler in transaction mode or from another database: set ' +
      'PROVIDER_LISTEN_DATABASE_URL to a direct connection to the same database, or to off',
  );
}
