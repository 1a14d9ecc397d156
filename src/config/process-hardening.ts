/**
 * Hardens a process that holds secrets, before it does anything else: child processes, diagnostic reports and debuggers
 * do not get the secrets, and clients of services do not find the platform's own. The operator must protect core files
 * and the initial `environ` of the process: docs/runbook.md.
 */
import { ProviderError } from '../protocol/errors.js';
import { isReadByClients, KEPT_VARIABLES, readKeptVariables } from './client-variables.js';
import { isHarmless } from './harmless-variables.js';
import { Settings } from './settings.js';

const TLS_VARIABLE = 'NODE_TLS_REJECT_UNAUTHORIZED';

const taken: NodeJS.ProcessEnv = {};

/** The options of {@link hardenProcess}. */
export interface HardenProcessOptions {
  /**
   * The variables that stay in `process.env`. A name that ends with `*` stands for all names that begin like it. Setting:
   * `PROVIDER_KEPT_VARIABLES`. Default: none.
   */
  readonly keptVariables?: readonly string[];
}

/**
 * Removes from `process.env` what clients of services read by themselves: `OPENAI_*`, `ANTHROPIC_*`, `GOOGLE_*`,
 * `GEMINI_*` and the like, `*_CUSTOM_HEADERS`, and proxies. A client that is made without a key then finds none, and
 * nothing of the platform goes to a workspace's service. `connect` still reads them, for `PROVIDER_PLATFORM_FALLBACK`.
 * Also keeps secrets out of diagnostic reports, of debuggers that are attached by a signal, and of the console of the AI
 * SDK. Call it first in the program of your own worker. Idempotent.
 *
 * @returns the names of the variables that it has removed, also in an earlier call, and never a value
 * @throws ProviderError `SetupInvalid` if NODE_TLS_REJECT_UNAUTHORIZED is 0: no certificate would be verified; if what
 *   is to be kept is not a list of names
 * @example
 * import { hardenProcess } from 'workspace-providers';
 * hardenProcess({ keptVariables: ['GOOGLE_APPLICATION_CREDENTIALS'] });
 */
export function hardenProcess(options: HardenProcessOptions = {}): readonly string[] {
  refuseUnverifiedTls(process.env);
  // The AI SDK writes warnings to the console, past the logger. Those that matter come back as failures.
  Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
  // Without a listener, SIGUSR1 makes Node open the inspector, on a port that every user of the machine can reach.
  if (process.listenerCount('SIGUSR1') === 0) process.on('SIGUSR1', () => {});
  limitReports();
  take(isReadByClients, options);
  return Object.keys(taken).filter(isReadByClients).sort();
}

function limitReports(): void {
  if (!process.report) return;
  process.report.reportOnFatalError = false;
  process.report.reportOnUncaughtException = false;
  process.report.reportOnSignal = false;
  // From Node 22.13 and 23.3 on. In older versions, a requested report contains what is left of the environment.
  if ('excludeEnv' in process.report) process.report.excludeEnv = true;
}

/** @throws ProviderError `SetupInvalid` if a variable makes Node accept any certificate, of whatever it connects to */
export function refuseUnverifiedTls(env: NodeJS.ProcessEnv): void {
  if (env[TLS_VARIABLE] !== '0') return;
  const rule = 'is 0, so no TLS certificate would be verified: remove it, and name your own authority in';
  throw ProviderError.setupInvalid(TLS_VARIABLE, `${rule} NODE_EXTRA_CA_CERTS`);
}

/**
 * Returns the environment, and removes from `process.env` what is not known to be harmless, so that no child process,
 * library or report has it. What `PROVIDER_KEPT_VARIABLES` names stays.
 *
 * @throws ProviderError `SetupInvalid` if NODE_TLS_REJECT_UNAUTHORIZED is 0, also if a file of settings has set it
 */
export function takeEnvironment(): NodeJS.ProcessEnv {
  refuseUnverifiedTls(process.env);
  take((name, value) => !isHarmless(name, value));
  return wholeEnvironment();
}

/** The environment, with what was removed from `process.env`. */
export function wholeEnvironment(): NodeJS.ProcessEnv {
  return { ...taken, ...process.env };
}

/** What is kept comes back, if it was removed before the setting was read from a file. */
function take(isTaken: (name: string, value: string) => boolean, options: HardenProcessOptions = {}): void {
  const isKept = keptBy(options);
  for (const [name, value = ''] of Object.entries(process.env))
    if (isTaken(name, value) && !isKept(name)) takeVariable(name);
  for (const name of Object.keys(taken).filter(isKept)) {
    process.env[name] ??= taken[name];
    delete taken[name];
  }
}

function keptBy(options: HardenProcessOptions): (name: string) => boolean {
  // Only this setting: others may name files, which are read later.
  const settings = new Settings({ [KEPT_VARIABLES]: wholeEnvironment()[KEPT_VARIABLES] }, options);
  const isKept = readKeptVariables(settings);
  settings.throwIfRefused();
  return isKept;
}

/** Returns one variable, which is secret whatever its name is, and removes it from `process.env`. */
export function takeVariable(name: string): string | undefined {
  if (process.env[name] === undefined) return taken[name];
  taken[name] = process.env[name];
  delete process.env[name];
  return taken[name];
}

/** Whether the process was given the variable. An empty one counts. */
export function hasVariable(name: string): boolean {
  return process.env[name] !== undefined || taken[name] !== undefined;
}

/** Sets a variable as if the process had been started with it, except that no child process gets one that may be secret. */
export function setVariable(name: string, value: string): void {
  (isHarmless(name, value) ? process.env : taken)[name] = value;
}
