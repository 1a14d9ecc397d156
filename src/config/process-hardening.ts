/**
 * What a process of ours that holds secrets does about its surroundings, first thing: it keeps them out of what children
 * inherit, of diagnostic reports, and of a debugger's reach. Core files and the initial `environ` of the process are the
 * operator's to close: docs/runbook.md.
 */
import { isSecretVariable } from './settings.js';

const taken: NodeJS.ProcessEnv = {};

/** Idempotent. */
export function hardenProcess(): void {
  // Node opens the inspector at SIGUSR1, on a port that every user of the machine can reach, unless somebody listens.
  if (process.listenerCount('SIGUSR1') === 0) process.on('SIGUSR1', () => {});
  if (!process.report) return;
  process.report.reportOnFatalError = false;
  process.report.reportOnUncaughtException = false;
  process.report.reportOnSignal = false;
  // From Node 22.13 and 23.3 on; before them a report that is asked for holds what is left of the environment.
  if ('excludeEnv' in process.report) process.report.excludeEnv = true;
}

/** The environment with its secrets, which `process.env`, and so a child or a report, has no more. */
export function takeEnvironment(): NodeJS.ProcessEnv {
  for (const name of Object.keys(process.env)) if (isSecretVariable(name)) takeVariable(name);
  return { ...process.env, ...taken };
}

/** One variable that is a secret whatever its name. */
export function takeVariable(name: string): string | undefined {
  if (process.env[name] === undefined) return taken[name];
  taken[name] = process.env[name];
  delete process.env[name];
  return taken[name];
}
