/**
 * Examines a set-up from end to end, with the checks that workers and commands make at their start, and with some that
 * need both ends. It changes nothing: no row, no workflow, no file.
 */
import { isProviderError } from '../protocol/errors.js';
import { type ManagementStore, openManagementStore } from '../store/management-store.js';
import type { RegisteredWorker } from '../store/ports.js';
import { openProviderStore, type ProviderStore } from '../store/provider-store.js';
import { checkDatabase, type ExaminedDatabase } from './database-checks.js';
import { examine, type Finding, fail, ok, type Result, skipped } from './finding.js';
import { checkGrants } from './grant-check.js';
import { checkEnvironment, checkNode } from './machine-checks.js';
import {
  checkEgress,
  checkPackages,
  type NeedsPackage,
  needsAiSdk,
  type StoredProvider,
  sampleProviders,
} from './provider-checks.js';
import { checkRootKey, type SampledKey } from './root-key-check.js';
import { readSetup, type Setup } from './setup.js';
import { checkTemporal } from './temporal-checks.js';

/** What is taken of the machine; for tests. */
export interface Machine {
  /** The wall clock, in milliseconds. */
  readonly now: () => number;
  readonly nodeVersion: string;
  readonly needsPackage: NeedsPackage;
}

const THIS_MACHINE: Machine = { now: Date.now, nodeVersion: process.version, needsPackage: needsAiSdk };

/**
 * @param env - the settings of a worker, of a manager, and of a service that starts workflows, as far as they are known
 * @param machine - default: this one
 */
export async function examineSetup(
  env: NodeJS.ProcessEnv,
  machine: Machine = THIS_MACHINE,
): Promise<readonly Finding[]> {
  const setup = readSetup(env);
  const { findings, sound } = await checkDatabase(setup, machine.now);
  const opened = openStores(sound);
  try {
    const { workers, keys, stored } = await lookAround(opened);
    return [
      ...(await examine('node', () => checkNode(machine.nodeVersion))),
      ...(await examine('environment', () => checkEnvironment(setup))),
      ...(await examine('settings', () => checkSettings(setup))),
      ...findings,
      ...(await examine('root key', () => checkRootKey(setup.rootKeyring, keys))),
      ...(await examine('leases', () => checkLeases(workers))),
      ...(await examine('grants', () => checkGrants(setup, workers ?? []))),
      ...(await checkTemporal(setup, workers)),
      ...(await examine('egress', () => checkEgress(stored, setup))),
      ...(await examine('packages', () => checkPackages(stored, machine.needsPackage))),
    ];
  } finally {
    await Promise.all([opened.worker?.close(), opened.manager?.close()]);
  }
}

function checkSettings({ problems, types, fallback }: Setup): Result | readonly Result[] {
  const all = [...problems, ...[types, fallback].flatMap((part) => ('problem' in part ? [part.problem] : []))];
  return all.length > 0 ? all.map(fail) : ok('every setting fits');
}

interface Stores {
  readonly worker?: ProviderStore;
  readonly manager?: ManagementStore;
}

/** Without prepared statements, which may not work. */
function openStores({ worker, manager }: ExaminedDatabase['sound']): Stores {
  const options = { preparedStatements: false, maxConnections: 2 };
  return {
    ...(worker !== undefined && { worker: openProviderStore({ ...options, databaseUrl: worker }) }),
    ...(manager !== undefined && { manager: openManagementStore({ ...options, databaseUrl: manager }) }),
  };
}

interface Surroundings {
  /** Those that hold a lease. `undefined`, as the others: no login could tell. */
  readonly workers: readonly RegisteredWorker[] | undefined;
  readonly keys: readonly SampledKey[] | undefined;
  readonly stored: readonly StoredProvider[] | undefined;
}

async function lookAround({ worker, manager }: Stores): Promise<Surroundings> {
  const [listed, keys, stored] = await Promise.all([
    known((manager ?? worker)?.listWorkers()),
    known(worker?.sampleDataKeys() ?? manager?.listDataKeys(undefined, 3)),
    known(manager && sampleProviders(manager)),
  ]);
  const workers = listed?.filter(({ state, silentMs, leaseMs }) => state === 'live' && silentMs <= leaseMs);
  return { workers, keys, stored };
}

/** A Postgres that went away in between was reported by other checks. */
async function known<Answer>(answer: Promise<Answer> | undefined): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isProviderError(error)) return undefined;
    throw error;
  }
}

function checkLeases(workers: readonly RegisteredWorker[] | undefined): Result {
  if (!workers) return skipped('no login could list the workers');
  if (workers.length > 0)
    return ok(`${workers.length} ${workers.length === 1 ? 'worker holds' : 'workers hold'} a lease`);
  return fail('no worker holds a lease, so nobody serves credentials: start a worker, or see the log of yours');
}
