/**
 * Files of the first two tiers share processes, so that packages are loaded once per process. This gives each file modules
 * of its own, the environment in which the process began, and nothing that the file before it has stubbed.
 */
import { vi } from 'vitest';

const BEGINNING = Symbol.for('workspace-providers/environment-at-start');
const shared = globalThis as { [BEGINNING]?: NodeJS.ProcessEnv };
shared[BEGINNING] ??= { ...process.env };

vi.useRealTimers();
vi.unstubAllEnvs();
vi.unstubAllGlobals();
for (const name of Object.keys(process.env)) if (!(name in shared[BEGINNING])) delete process.env[name];
Object.assign(process.env, shared[BEGINNING]);
vi.resetModules();
