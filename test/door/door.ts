/**
 * Runs a command with one wrong input or a broken set-up, and checks the promise of every such message: it says what is
 * wrong, where, and what to do, its exit code tells a script whether to try again, and no secret is in it.
 */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { type CliOptions, runCli } from '../cli/run-cli.js';

/** In every secret of these tests. */
export const CANARY = 'canary-of-the-door-5f1c9a7e';
export const ROOT_KEY = createHash('sha256').update(CANARY).digest('base64');

/** Settings that are in order, of servers that do not exist. */
export const SETTINGS = {
  PROVIDER_DATABASE_URL: `postgres://worker:${CANARY}@127.0.0.1:1/agents`,
  PROVIDER_MANAGER_DATABASE_URL: `postgres://manager:${CANARY}@127.0.0.1:1/agents`,
  PROVIDER_ADMIN_DATABASE_URL: `postgres://admin:${CANARY}@127.0.0.1:1/agents`,
  ENCRYPTION_KEY: `key-1:${ROOT_KEY}`,
  PROVIDER_GRANTS: 'every-workflow-may-use-every-workspace',
};

export interface Wrong extends CliOptions {
  readonly run: readonly string[];
  readonly exits: number;
  /** The whole message after the failure's type. A list: the parts that it has, if others depend on the machine. */
  readonly says: string | readonly (string | RegExp)[];
}

export async function checkWrong({ run, exits, says, env = {}, ...options }: Wrong): Promise<void> {
  const ran = await runCli(run, { ...options, env: { ...SETTINGS, ...env } });
  const said = `${ran.stdout}${ran.stderr}`;
  const [, message = said] = /^✖ \w+: ([\s\S]*)\n$/m.exec(ran.stderr) ?? [];
  if (typeof says === 'string') expect(message).toBe(says);
  else for (const part of says) expect(message).toMatch(part);
  expect(ran.exitCode, said).toBe(exits);
  expect(said).not.toContain(CANARY);
  expect(said).not.toContain(ROOT_KEY);
  expect(said).not.toMatch(/a bug, please report it|^\s+at /m);
}
