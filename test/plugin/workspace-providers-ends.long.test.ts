/** How a process that uses the plugin ends, whatever it got to: it ends by itself and leaves nothing to wait for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { LOOPBACK_ENV } from '../../testbed/loopback.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { temporalAddress, uniqueName } from '../support/parts.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = new URL('../../dist/index.js', import.meta.url).href;
const workspaceId = newWorkspace();

const stage = useAgentStage();
let folder: string;

beforeAll(async () => {
  await stage.addLlm(workspaceId);
  folder = await mkdtemp(join(tmpdir(), 'workspace-providers-worker-ends-'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'workflows.js'), 'export async function answer() { return 42; }\n');
  await writeFile(join(folder, 'bundle.js'), 'globalThis.__TEMPORAL__ = {};\n');
});

afterAll(async () => {
  if (folder) await rm(folder, { recursive: true });
});

/** Runs a program as a user would write it: it imports the built package and Temporal's, and closes nothing. */
function run(program: string, env: Record<string, string> = {}) {
  const { PATH = '', HOME = '' } = process.env;
  const imports = `
    import { NativeConnection, Worker } from '@temporalio/worker';
    import { WorkspaceProviders, ProviderResolver } from '${BUILT}';
    const address = ${JSON.stringify(temporalAddress())}, folder = ${JSON.stringify(folder)};`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', `${imports}\n${program}`], {
    cwd: ROOT,
    env: {
      ...{ PATH, HOME, ...LOOPBACK_ENV, ...stage.database.settings, ...stage.grantKeys.workerEnv },
      ...{ DATABASE_URL: stage.database.resolverUrl, ENCRYPTION_KEY: stage.encryptionKey, ...env },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return { child, exited, stdout: text(child.stdout), stderr: text(child.stderr) };
}

const rows = async () => (await stage.manager.listWorkers()).map(({ state }) => state);

/** A change that waits for the fence. @returns how long it waited, in milliseconds */
async function fencedChange(): Promise<number> {
  const startedAt = performance.now();
  const identity = { workspaceId, type: 'llm', name: 'anthropic' };
  const { fence } = await stage.manager.updateProvider({ ...identity, config: { model: uniqueName('claude') } });
  expect(fence).toMatchObject({ complete: true });
  return performance.now() - startedAt;
}

const SERVE = `
  const providers = await WorkspaceProviders.connect();
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection, taskQueue: '${uniqueName('agents')}', workflowsPath: folder + '/workflows.js', plugins: [providers.plugin()],
  });
  const running = worker.run();
  while (worker.getState() !== 'RUNNING') await new Promise((done) => setTimeout(done, 10));
  console.log('running');
  await running;`;

describe('a worker without close()', () => {
  test('ends within a second of SIGTERM, and the next change waits for nobody', async () => {
    const worker = run(SERVE);
    await Promise.race([once(worker.child.stdout, 'data'), worker.exited]);
    // The lease is taken beside the start of the worker.
    await vi.waitFor(async () => expect(await rows()).toEqual(['live']), { timeout: 10_000 });
    const signalledAt = performance.now();
    worker.child.kill('SIGTERM');
    expect(await worker.exited).toBe(0);
    expect(performance.now() - signalledAt).toBeLessThan(1_000);
    expect(await rows()).toEqual([]);
    expect(await fencedChange()).toBeLessThan(1_000);
  });

  test('logs no warning when it starts', async () => {
    const worker = run(SERVE);
    await Promise.race([once(worker.child.stdout, 'data'), worker.exited]);
    worker.child.kill('SIGTERM');
    await worker.exited;
    expect(await worker.stderr).toContain('[INFO]');
    expect(await worker.stderr).not.toContain('[WARN]');
  });
});

describe('a start that fails leaves nothing that a change waits for:', () => {
  const CREATE = (options: string) => `
    const providers = await WorkspaceProviders.connect();
    const connection = await NativeConnection.connect({ address });
    const worker = await Worker.create({ connection, taskQueue: 'a', plugins: [providers.plugin()], ${options} });
    await worker.run();`;

  test.each<[string, string, RegExp, Record<string, string>?]>([
    ['an invalid task queue', CREATE("taskQueue: ''"), /Task queue name is required/],
    ['an unknown namespace', CREATE("namespace: 'no-such-namespace'"), /not.?found/i],
    ['workflows that do not exist', CREATE("workflowsPath: folder + '/nowhere.js'"), /nowhere/],
    [
      'a bundle without the plugin',
      CREATE("workflowBundle: { codePath: folder + '/bundle.js' }"),
      /workflowBundle was made without the plugin/,
    ],
    ['Temporal is down', CREATE('').replace('{ address }', "{ address: '127.0.0.1:1' }"), /connect/i],
    [
      'Postgres is down',
      CREATE(''),
      /StoreUnavailable/,
      { DATABASE_URL: 'postgres://worker:canary@127.0.0.1:1/agents' },
    ],
    [
      'an error of the program itself',
      `await WorkspaceProviders.connect(); throw new Error('of its own');`,
      /of its own/,
    ],
  ])('%s', async (_, program, message, env) => {
    const worker = run(program, env);
    const code = await worker.exited;
    expect({ code, stderr: await worker.stderr }).toEqual({ code: 1, stderr: expect.stringMatching(message) });
    expect(await worker.stderr).not.toContain('canary');
    expect(await rows()).toEqual([]);
    expect(await fencedChange()).toBeLessThan(1_000);
  });
});

describe('a process ends by itself', () => {
  test.each([
    ['after connecting', 'await WorkspaceProviders.connect();'],
    ['after creating a plugin that no worker uses', '(await WorkspaceProviders.connect()).plugin();'],
    [
      'after it used a resolver, whose lease it gives back',
      `const resolver = await ProviderResolver.connect();
       const ref = await resolver.resolveLlmKey({ workspaceId: '${workspaceId}', provider: 'anthropic' });
       await resolver.withProvider(ref, ({ credential, fetch }) => fetch(credential.baseURL).then((a) => a.text()));`,
    ],
    [
      'after one worker ended, and another one was started with new providers',
      `for (const taskQueue of ['${uniqueName('first')}', '${uniqueName('second')}']) {
         const providers = await WorkspaceProviders.connect();
         const connection = await NativeConnection.connect({ address });
         const worker = await Worker.create({ connection, taskQueue, plugins: [providers.plugin()] });
         await worker.runUntil(async () => {});
         await connection.close();
       }`,
    ],
  ])('%s', async (_, program) => {
    const startedAt = performance.now();
    const { exited, stderr } = run(program);
    const code = await exited;
    expect({ code, stderr: await stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('Error') });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect(await rows()).toEqual([]);
  });
});
