/**
 * Hardens a process that holds secrets, before it does anything else: child processes, diagnostic reports and debuggers
 * do not get the secrets. The operator must protect core files and the initial `environ` of the process:
 * docs/runbook.md.
 */
import { ProviderError } from '../protocol/errors.js';
import { isHarmless } from './harmless-variables.js';

const TLS_VARIABLE = 'NODE_TLS_REJECT_UNAUTHORIZED';

const taken: NodeJS.ProcessEnv = {};

/**
 * Keeps secrets out of diagnostic reports, of debuggers that are attached by a signal, and of the console of the AI
 * SDK. Call it first in the program of your own worker. Idempotent.
 *
 * @throws ProviderError `SetupInvalid` if NODE_TLS_REJECT_UNAUTHORIZED is 0: no certificate would be verified
 * @example
 * import { hardenProcess } from 'workspace-providers';
 * hardenProcess();
 */
export function hardenProcess(): void {
  refuseUnverifiedTls(process.env);
  // The AI SDK writes warnings to the console, past the logger. Those that matter come back as failures.
  Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
  // Without a listener, SIGUSR1 makes Node open the inspector, on a port that every user of the machine can reach.
  if (process.listenerCount('SIGUSR1') === 0) process.on('SIGUSR1', () => {});
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
 * library or report has it.
 *
 * @throws ProviderError `SetupInvalid` if NODE_TLS_REJECT_UNAUTHORIZED is 0, also if a file of settings has set it
 */
export function takeEnvironment(): NodeJS.ProcessEnv {
  refuseUnverifiedTls(process.env);
  for (const [name, value = ''] of Object.entries(process.env)) if (!isHarmless(name, value)) takeVariable(name);
  return { ...process.env, ...taken };
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
