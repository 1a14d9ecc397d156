/** The settings of `dev`: what it takes from its environment, and what it gives to its worker and its files. */
import { readAdminDatabaseUrl } from '../../config/manager-config.js';
import { takeEnvironment } from '../../config/process-hardening.js';
import { Settings } from '../../config/settings.js';
import { ProviderError } from '../../protocol/errors.js';
import { parseLocalKeyring } from '../../sealing/local-keyring.js';
import type { Part, SetupSettings } from '../setup/setup-files.js';

const EXAMPLE_TASK_QUEUE = 'dev-example';

/** What each file has beside the settings of a set-up. */
export type ExtraSettings = Readonly<Record<Part, Readonly<Record<string, string>>>>;

export interface DevEnvironment {
  readonly env: NodeJS.ProcessEnv;
  /** Of a database of one's own. */
  readonly adminUrl: string | undefined;
  readonly rootKeys: string | undefined;
}

/** @throws ProviderError `SetupInvalid` naming each setting that does not fit */
export function readEnvironment(keepsData: boolean): DevEnvironment {
  const settings = new Settings(takeEnvironment());
  const isOwn = settings.text('PROVIDER_ADMIN_DATABASE_URL') || settings.text('DATABASE_URL');
  const adminUrl = isOwn ? readAdminDatabaseUrl(settings) : undefined;
  settings.refuseMisspelt();
  settings.throwIfRefused();
  const rootKeys = settings.text('ENCRYPTION_KEY');
  if (rootKeys !== undefined) parseLocalKeyring(rootKeys);
  else if (adminUrl !== undefined && !keepsData) {
    throw ProviderError.setupInvalid(
      'ENCRYPTION_KEY',
      'is not set, and the data stays in your database when dev ends: set it, or add --keep, which keeps a new root key in the folder',
    );
  }
  return { env: settings.env, adminUrl, rootKeys };
}

export function extraSettings(env: NodeJS.ProcessEnv, temporalAddress: string): ExtraSettings {
  const temporal = { TEMPORAL_ADDRESS: temporalAddress, ...given(env, 'TEMPORAL_NAMESPACE') };
  // A developer's models and nodes are on this machine.
  const egress = { PROVIDER_EGRESS_NETWORKS: env.PROVIDER_EGRESS_NETWORKS?.trim() || 'loopback' };
  return {
    worker: { ...temporal, ...egress },
    starter: temporal,
    manager: { ...temporal, ...egress, ...given(env, 'PROVIDER_OPERATIONS_TASK_QUEUE') },
  };
}

function given(env: NodeJS.ProcessEnv, name: string): Readonly<Record<string, string>> {
  const value = env[name]?.trim();
  return value ? { [name]: value } : {};
}

/** The environment of the worker that `dev` runs. */
export function workerEnvironment(
  env: NodeJS.ProcessEnv,
  { worker, manager }: SetupSettings,
  extra: ExtraSettings,
): NodeJS.ProcessEnv {
  return {
    ...(env.TEMPORAL_ADDRESS ? env : withoutTemporal(env)),
    ...extra.worker,
    ...worker,
    PROVIDER_MANAGER_DATABASE_URL: manager.PROVIDER_MANAGER_DATABASE_URL,
    PROVIDER_TASK_QUEUE: env.PROVIDER_TASK_QUEUE?.trim() || EXAMPLE_TASK_QUEUE,
    // The administrator's login is for the set-up.
    DATABASE_URL: undefined,
    PROVIDER_ADMIN_DATABASE_URL: undefined,
    PROVIDER_GRANT_SIGNING_KEY: undefined,
  };
}

/** Credentials for another server would be sent to the one that was started here. */
function withoutTemporal(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

/** Node's own `--env-file` leaves a variable as it is if the environment has it. */
export function overriding(env: NodeJS.ProcessEnv, settings: SetupSettings, extra: ExtraSettings): readonly string[] {
  const written = (Object.keys(settings) as Part[]).flatMap((part) =>
    Object.entries({ ...settings[part], ...extra[part] }),
  );
  const names = written.filter(([name, value]) => env[name] && env[name] !== value).map(([name]) => name);
  return [...new Set(names)].filter((name) => name !== 'PROVIDER_GRANT_SIGNING_KEY' || isForeign(env, settings));
}

/** Starter and manager have a key each: either is one of this set-up. */
function isForeign({ PROVIDER_GRANT_SIGNING_KEY: key }: NodeJS.ProcessEnv, { starter, manager }: SetupSettings) {
  return key !== starter.PROVIDER_GRANT_SIGNING_KEY && key !== manager.PROVIDER_GRANT_SIGNING_KEY;
}
