/** The commands that run on, on a Temporal and a Postgres that they borrow: a line once they work, an orderly end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { CANARY, documentOf, operator } from './operator.js';
import { CLI } from './run-cli.js';

const op = operator();

/** Runs until its first line on stdout. */
async function start(args: readonly string[], env: Readonly<Record<string, string>>) {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH, HOME, TEMPORAL_ADDRESS: temporalAddress(), PROVIDER_TASK_QUEUE: uniqueName('cli'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const ended = once(child, 'close');
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error(`it ended early: ${said}`))),
  ]);
  return {
    document: JSON.parse(String(line)),
    said: () => `${line}${said}`,
    async end(signal: NodeJS.Signals) {
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}

it('worker works until it is told to stop', async () => {
  const { ENCRYPTION_KEY } = op.env;
  const worker = await start(['worker', '--json'], { ENCRYPTION_KEY, DATABASE_URL: op.database.resolverUrl });
  expect(worker.document).toMatchObject({ event: 'ready', temporal: temporalAddress(), namespace: 'default' });
  expect(await worker.end('SIGTERM')).toBe(0);
});

it('worker refuses the login of an administrator', async () => {
  const refused = await op.run(['worker', '--json'], { env: { DATABASE_URL: op.database.ownerUrl } });
  expect(refused.exitCode).toBe(2);
  expect(documentOf(refused).error).toMatchObject({ type: 'ProviderConfigInvalid', fields: ['databaseUrl'] });
});

it('dev runs a worker, hands the other commands their settings, and takes them back at Ctrl-C', async () => {
  const { ENCRYPTION_KEY } = op.env;
  const dev = await start(['dev', '--json'], { ENCRYPTION_KEY, DATABASE_URL: op.database.ownerUrl });
  const { envFile } = dev.document;
  expect(statSync(envFile).mode & 0o777).toBe(0o600);
  const env = Object.fromEntries(
    [...readFileSync(envFile, 'utf8').matchAll(/^(\w+)='(.*)'$/gm)].map((match) => match.slice(1)),
  );
  const configured = await op.run(['configure', uniqueName('ws'), 'llm', 'anthropic'], { env, stdin: CANARY });
  expect(configured).toMatchObject({ exitCode: 0 });

  expect(await dev.end('SIGINT')).toBe(0);
  expect(existsSync(envFile)).toBe(false);
  for (const secret of [ENCRYPTION_KEY, new URL(env.DATABASE_URL ?? '').password])
    expect(dev.said()).not.toContain(secret);
  expect(await op.run(['list', 'ws_acme'], { env })).toMatchObject({ exitCode: 0 });
});

it('dev makes no root key for a database that outlives it', async () => {
  const refused = await op.run(['dev', '--json'], { env: { DATABASE_URL: op.database.ownerUrl, ENCRYPTION_KEY: '' } });
  expect(refused.exitCode).toBe(2);
  expect(documentOf(refused).error).toMatchObject({ type: 'ProviderConfigInvalid', fields: ['ENCRYPTION_KEY'] });
});
