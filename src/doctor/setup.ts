/** The set-up that is examined, as its settings have it. Each part is read by itself, so that one fault hides no other. */
import { readKeptVariables } from '../config/client-variables.js';
import { readTypes } from '../config/provider-types-module.js';
import { readEgress, readGrantPolicy, readRootKeyring } from '../config/resolver-config.js';
import { Settings } from '../config/settings.js';
import { SETTINGS, type SettingName, type SettingOf, settingOf } from '../config/settings-table.js';
import { readTemporalConfig, type TemporalConfig } from '../config/temporal-config.js';
import { readClientDataConverter, readOperationsTaskQueue } from '../config/worker-config.js';
import type { EgressPolicy } from '../egress/policy.js';
import { GrantSigner } from '../grants/grant-signer.js';
import type { GrantPolicy } from '../grants/policy.js';
import { isProviderError } from '../protocol/errors.js';
import { PlatformFallback } from '../providers/platform-fallback.js';
import { ProviderTypes } from '../providers/provider-types.js';
import type { RootKeyring } from '../sealing/root-keyring.js';
import type { Part } from './finding.js';

export interface Setup {
  /** With the contents of files in place of their names. */
  readonly env: NodeJS.ProcessEnv;
  /** What is wrong with settings that belong to no other part. */
  readonly problems: readonly string[];
  /** Absent if its setting is. */
  readonly urls: {
    readonly worker?: Part<string>;
    readonly manager?: Part<string>;
    readonly administrator?: Part<string>;
    readonly listen?: Part<string | 'off'>;
  };
  readonly preparedStatements: boolean;
  readonly rootKeyring: Part<RootKeyring>;
  readonly types: Part<ProviderTypes>;
  readonly fallback: Part<PlatformFallback>;
  readonly egress: Part<EgressPolicy>;
  readonly grants: Part<GrantPolicy>;
  /** Absent if its setting is. */
  readonly signer?: Part<GrantSigner>;
  readonly temporal: Part<TemporalConfig>;
  readonly operationsTaskQueue: string;
  /** The task queue of the steps. Absent if it is not set: workers of your own have any. */
  readonly taskQueue?: string;
}

export function readSetup(given: NodeJS.ProcessEnv): Setup {
  const whole = new Settings(given);
  whole.refuseMisspelt();
  for (const name of Object.keys(SETTINGS) as SettingName[]) readPlain(whole, name);
  readKeptVariables(whole);
  readClientDataConverter(whole);
  const { env } = whole;
  const part = <Value>(read: (settings: Settings) => Value) => partOf(new Settings(env), read);
  const url = (...names: SettingOf<'secret'>[]) =>
    names.some((name) => env[name]?.trim()) ? part((settings) => settings.databaseUrl(...names) as string) : undefined;
  const types = part(readTypes);
  const settings = new Settings(env);
  return {
    env,
    problems: problemsOf(whole),
    urls: {
      // Commands take DATABASE_URL for a manager's, unless a manager's own is set.
      worker: env.PROVIDER_MANAGER_DATABASE_URL
        ? url('PROVIDER_DATABASE_URL', 'DATABASE_URL')
        : url('PROVIDER_DATABASE_URL'),
      manager: url('PROVIDER_MANAGER_DATABASE_URL', 'DATABASE_URL'),
      administrator: url('PROVIDER_ADMIN_DATABASE_URL'),
      listen:
        settings.text('PROVIDER_LISTEN_DATABASE_URL') === 'off'
          ? { value: 'off' }
          : url('PROVIDER_LISTEN_DATABASE_URL'),
    },
    preparedStatements: settings.flag('PROVIDER_PREPARED_STATEMENTS'),
    rootKeyring: part(readRootKeyring),
    types,
    fallback: part((own) => readFallback(own, types)),
    egress: part(readEgress),
    grants: part(readGrantPolicy),
    ...(env.PROVIDER_GRANT_SIGNING_KEY?.trim() && {
      signer: part((own) => own.parsed('PROVIDER_GRANT_SIGNING_KEY', (key) => new GrantSigner(key)) as GrantSigner),
    }),
    temporal: part(readTemporalConfig),
    operationsTaskQueue: readOperationsTaskQueue(settings),
    ...(env.PROVIDER_TASK_QUEUE?.trim() && { taskQueue: env.PROVIDER_TASK_QUEUE.trim() }),
  };
}

/** Settings that have a grammar of their own are read with their part. */
function readPlain(settings: Settings, name: SettingName): void {
  const { kind } = settingOf(name);
  if (kind === 'count') settings.count(name as SettingOf<'count'>);
  if (kind === 'duration') settings.durationMs(name as SettingOf<'duration'>);
  if (kind === 'flag') settings.flag(name as SettingOf<'flag'>);
}

function readFallback(settings: Settings, types: Part<ProviderTypes>): PlatformFallback {
  const known = 'value' in types ? types.value : ProviderTypes.builtIn;
  const parse = (pairs: string) => PlatformFallback.parse(pairs, settings.env, known);
  return settings.parsed('PROVIDER_PLATFORM_FALLBACK', parse) ?? PlatformFallback.off;
}

function partOf<Value>(settings: Settings, read: (settings: Settings) => Value): Part<Value> {
  const value = read(settings);
  const problems = problemsOf(settings);
  return problems.length > 0 ? { problem: problems.join('; ') } : { value };
}

function problemsOf(settings: Settings): readonly string[] {
  try {
    settings.throwIfRefused();
    return [];
  } catch (error) {
    if (!isProviderError(error)) throw error;
    return error.message.split('\n');
  }
}
