/**
 * The published package in projects as its users have them: workers as in Temporal's samples, frameworks for agents and
 * for servers, test runners, and package managers. `test/projects/` has the projects.
 */
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test, vi } from 'vitest';
import { type PineconeStandIn, startPinecone } from '../../testbed/standins/pinecone.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { useStage } from '../support/use-stage.js';
import { type InstalledProject, installProject, type RunningProgram } from './installed-project.js';
import { run } from './scratch-project.js';

const INSTALL_TIMEOUT_MS = 300_000;
vi.setConfig({ hookTimeout: INSTALL_TIMEOUT_MS, testTimeout: 180_000 });

const TS_NODE = ['-r', 'ts-node/register'];
const TSX = ['--import', 'tsx'];

const project: InstalledProject = useStage(installProject);
const stage = useAgentStage({ answer: ({ owner }) => `The key of ${owner} works.` });

const pinecone: PineconeStandIn = useStage((teardown) => teardown.use(startPinecone()));

const startWorker = (program: readonly string[], env: Record<string, string>) =>
  // The test of the compiled worker checks the types of all projects.
  project.start(program, { ...stage.workerEnv, TS_NODE_TRANSPILE_ONLY: '1', ...env });

async function workspaceWith(...services: ('anthropic' | 'openai')[]): Promise<string> {
  const workspaceId = newWorkspace();
  for (const service of services) await stage.addLlm(workspaceId, service);
  return workspaceId;
}

const executeFor = (workspaceId: string, type: string, taskQueue: string) =>
  stage.grants
    .clientFor(workspaceId)
    .workflow.execute(type, { taskQueue, workflowId: uniqueName(type), args: [`${workspaceId}, how are you?`] });

describe('npm', () => {
  test('installs the package beside Temporal’s AI plugins, NestJS and the AI SDK 7, with strict peers', () => {
    expect(project.installed, project.installed.stderr).toMatchObject({ exitCode: 0 });
  });

  test.each(['undici', '@ai-sdk/provider-utils'])('installs one copy of %s', async (name) => {
    const path = `./node_modules/${name}/package.json`;
    const { stdout } = await run(project.folder, 'find', ['./node_modules', '-path', `*${path.slice(1)}`]);
    expect(stdout.trim().split('\n')).toEqual([path]);
  });
});

describe('other package managers install the package with strict peers, and its entries load:', () => {
  test.each<[string, string, readonly string[], readonly string[], Record<string, string>]>([
    ['pnpm', 'pnpm/bin/pnpm.cjs', ['install', '--ignore-scripts', '--config.strict-peer-dependencies=true'], [], {}],
    ['yarn 1', 'yarn/bin/yarn.js', ['install', '--ignore-scripts', '--non-interactive', '--ignore-engines'], [], {}],
    [
      "yarn 4 with Plug'n'Play",
      '@yarnpkg/cli-dist/bin/yarn.js',
      ['install'],
      ['node_modules/@yarnpkg/cli-dist/bin/yarn.js', 'node'],
      { YARN_ENABLE_SCRIPTS: '0', YARN_ENABLE_TELEMETRY: '0', YARN_ENABLE_IMMUTABLE_INSTALLS: '0' },
    ],
  ])('%s', async (name, script, install, node, settings) => {
    const folder = `managed-${name.replace(/\W/g, '-')}`;
    const temporal = { '@temporalio/client': '^1.23.0', '@temporalio/common': '^1.23.0' };
    const dependencies = { 'workspace-providers': `file:${project.tarball}`, ...temporal };
    await project.scratch.write(
      `${folder}/package.json`,
      JSON.stringify({ name: 'starter', private: true, dependencies }),
    );
    await project.scratch.write(`${folder}/yarn.lock`, '');
    await project.scratch.write(
      `${folder}/load.js`,
      `const { WorkspaceGrants } = require('workspace-providers/client');
       const { ProviderClient } = require('workspace-providers/management');
       console.log(typeof WorkspaceGrants, typeof ProviderClient);`,
    );
    const registry = (await run(project.folder, 'npm', ['config', 'get', 'registry'])).stdout.trim();
    const env = { ...process.env, ...settings, npm_config_registry: registry, YARN_NPM_REGISTRY_SERVER: registry };
    const within = (args: readonly string[]) =>
      run(join(project.folder, folder), 'env', [...pairs(env), process.execPath, ...args]);
    const installed = await within([join(project.folder, 'node_modules', script), ...install]);
    expect(installed, installed.stdout + installed.stderr).toMatchObject({ exitCode: 0 });
    const [program, ...args] = node;
    const loaded = await within([...(program ? [join(project.folder, program), ...args] : []), 'load.js']);
    expect(loaded, loaded.stderr).toMatchObject({ exitCode: 0, stdout: 'function function\n' });
  });
});

describe('test runners', () => {
  test('mocha with ts-node runs the tests of activities', async () => {
    const ran = await project.tool('mocha/bin/mocha.js', ...['--require', 'ts-node/register', 'agents/*.spec.ts']);
    expect(ran, ran.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('2 passing') });
  });

  test('Vitest runs the tests of activities', async () => {
    const ran = await project.tool('vitest/vitest.mjs', 'run', '--dir', 'vitest');
    expect(ran, ran.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('2 passed') });
  });

  test('Jest with ts-jest runs the tests of a NestJS application, in CommonJS under module node16', async () => {
    const ran = await project.tool('jest/bin/jest.js', ...['--config', 'nest/jest.config.js', '--rootDir', 'nest']);
    expect(ran, ran.stderr).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('3 passed') });
  });
});

test('a NestJS application serves HTTP, and its worker, and ends at SIGTERM', async () => {
  const TASK_QUEUE = uniqueName('nest');
  const WORKSPACE = await workspaceWith('anthropic');
  const { PROVIDER_GRANT_SIGNING_KEY = '' } = stage.managerEnv;
  const app = startWorker([...TS_NODE, 'nest/main.ts'], { TASK_QUEUE, WORKSPACE, PROVIDER_GRANT_SIGNING_KEY });
  const url = await app.line(/^listening at (http:.+)$/);
  expect(await (await fetch(`${url}/models`)).json()).toEqual({ models: expect.any(Number) });
  await app.stop();
  // NestJS sends itself the signal again when it has shut down.
  expect(app.child.signalCode).toBe('SIGTERM');
  expect((await stage.manager.listWorkers()).filter(({ state }) => state === 'live')).toEqual([]);
});

describe('a worker', () => {
  test.each([
    ['ts-node', TS_NODE],
    ['tsx', TSX],
  ])('that bundles its workflows under %s serves them, and ends at SIGTERM', async (name, loader) => {
    const TASK_QUEUE = uniqueName(name);
    const workspaceId = await workspaceWith('anthropic');
    const worker = startWorker([...loader, 'agents/worker.ts'], { TASK_QUEUE });
    expect(await executeFor(workspaceId, 'greeting', TASK_QUEUE)).toMatch(/^Good morning, WS_TEST.*: models$/);
    const { exitCode, printed } = await worker.stop();
    expect(exitCode, printed).toBe(0);
    expect((await stage.manager.listWorkers()).filter(({ state }) => state === 'live')).toEqual([]);
  });

  test('whose project compiles, with a prebuilt bundle, serves it, and a replay with only the plugin finds the children', async () => {
    const compiled = await project.tool('typescript/bin/tsc', '-p', '.');
    expect(compiled, compiled.stdout).toMatchObject({ exitCode: 0 });
    const BUNDLE = join(project.folder, 'bundle.js');
    expect(await endOf(project.start(['built/agents/build.js'], { BUNDLE }))).toBe(0);
    const TASK_QUEUE = uniqueName('prebuilt');
    const workspaceId = await workspaceWith('anthropic');
    startWorker(['built/agents/worker.js'], { TASK_QUEUE, BUNDLE, NODE_ENV: 'production' });
    const workflowId = uniqueName('family');
    const { workflow } = stage.grants.clientFor(workspaceId);
    const options = { taskQueue: TASK_QUEUE, workflowId, args: [workspaceId] };
    expect(await workflow.execute('family', options)).toEqual(Array(2).fill(expect.stringMatching(/: models$/)));
    const { TEMPORAL_ADDRESS = '' } = stage.workerEnv;
    const replay = project.start(['built/agents/replay.js'], { TEMPORAL_ADDRESS, WORKFLOW_ID: workflowId });
    expect(await endOf(replay)).toBe(0);
  });

  test('of three versions of a deployment each finishes the pinned workflows that began on it', async () => {
    const deployment = uniqueName('versioned');
    const { workflow } = stage.grants.clientFor(await workspaceWith('anthropic'));
    const { workflowService } = stage.client;
    const begun: { readonly handle: WorkflowHandle; readonly version: string }[] = [];
    for (const BUILD_ID of ['1.0', '1.1', '2.0']) {
      startWorker([...TSX, 'agents/worker.ts'], { TASK_QUEUE: deployment, BUILD_ID });
      const version = `${deployment}.${BUILD_ID}`;
      const current = { namespace: 'default', deploymentName: deployment, version };
      await vi.waitFor(() => workflowService.setWorkerDeploymentCurrentVersion(current), {
        timeout: 60_000,
        interval: 500,
      });
      const options = { taskQueue: deployment, workflowId: uniqueName('pinned') };
      begun.push({ handle: await workflow.start('pinned', options), version });
      await vi.waitFor(
        async () => {
          const { versioningInfo } = (await begun.at(-1)?.handle.describe())?.raw.workflowExecutionInfo ?? {};
          expect(versioningInfo?.version).toBe(version);
        },
        { timeout: 60_000 },
      );
    }
    for (const { handle } of begun) {
      await handle.signal('finish');
      expect(await handle.result()).toEqual([expect.any(Number), expect.any(Number)]);
    }
  });
});

test('agents of the AI SDK 7 and of the OpenAI Agents SDK use the keys of two workspaces side by side, and fail as this package does, also if our plugin is the first', async () => {
  const TASK_QUEUE = uniqueName('frameworks');
  const workspaces = [await workspaceWith('openai'), await workspaceWith('openai')];
  startWorker([...TS_NODE, 'frameworks/worker.ts'], { TASK_QUEUE });
  for (const agent of ['aiSdkAgent', 'openaiAgent', 'activityAgent', 'streamingAgent']) {
    const answers = workspaces.map((workspaceId) => executeFor(workspaceId, agent, TASK_QUEUE));
    const expected = workspaces.map((workspaceId) => `The key of ${workspaceId} works.`);
    expect(await Promise.all(answers), agent).toEqual(expected);
    const failure = await executeFor(newWorkspace(), agent, TASK_QUEUE).catch(rootOf);
    expect(failure, agent).toMatchObject({ type: 'ProviderNotConfigured', nonRetryable: true });
  }
  expect(await executeFor(workspaces[0] ?? '', 'aiSdkEmbedding', TASK_QUEUE)).toBe(3);
  expect(stage.llm.wrongKeyCalls()).toEqual([]);
});

test('the examples of three frameworks answer with the keys of two workspaces side by side, by a tool too, and fail as this package does [G17]', async () => {
  const examples = ['ai-sdk', 'openai-agents', 'langchain'].map((name) => ({ name, TASK_QUEUE: uniqueName(name) }));
  for (const { name, TASK_QUEUE } of examples) startWorker([...TSX, `${name}/worker.ts`], { TASK_QUEUE });
  const [first, second] = [await workspaceWith('openai'), await workspaceWith('openai')];
  const { PROVIDER_GRANT_SIGNING_KEY = '' } = stage.managerEnv;
  const runs = examples.map(async ({ name, TASK_QUEUE }) => {
    const start = [...TSX, `${name}/start.ts`, first, `${first}: what is the weather in Oslo?`];
    const program = startWorker(start, { TASK_QUEUE, PROVIDER_GRANT_SIGNING_KEY });
    const other = executeFor(second, 'assistant', TASK_QUEUE);
    expect(await program.line(/^(The key of .+)$/), name).toBe(`The key of ${first} works.`);
    expect(await other, name).toBe(`The key of ${second} works.`);
    const failure = await executeFor(newWorkspace(), 'assistant', TASK_QUEUE).catch(rootOf);
    expect(failure, name).toMatchObject({ type: 'ProviderNotConfigured', nonRetryable: true });
  });
  await Promise.all(runs);
  expect(stage.llm.wrongKeyCalls()).toEqual([]);
  const made = stage.llm.calls().filter(({ owner }) => owner === first || owner === second);
  expect(made, 'a call that asks for the tool, and one that answers').toHaveLength(4 * examples.length);
});

test('a provider type of one’s own, with the real client of its service, is configured and rotated by the CLI, resolved in a workflow, opened in an activity, and checked as a schedule does [G1]', async () => {
  const [first, next] = [stage.newKey('pinecone'), stage.newKey('pinecone')];
  const workspaceId = newWorkspace();
  for (const key of [first, next]) pinecone.admit(key, workspaceId);
  const PROVIDER_TYPES = './pinecone/provider-types.ts';
  const PROVIDER_OPERATIONS_TASK_QUEUE = uniqueName('operations');
  const own = { PROVIDER_TYPES, PROVIDER_OPERATIONS_TASK_QUEUE };
  const CLI = [...TSX, 'node_modules/workspace-providers/dist/cli/main.js', '--json'];
  const cli = async (args: string, KEY = '') => {
    const program = project.start([...CLI, ...args.split(' ')], { ...stage.managerEnv, ...own, KEY });
    const exitCode = await endOf(program);
    const { printed } = await program.stop();
    expect(exitCode, printed).toBe(0);
    return printed;
  };
  const provider = `${workspaceId} pinecone default`;
  const where = `--set baseURL=${pinecone.url} --set host=${pinecone.url}`;
  await cli(`configure ${provider} ${where} --secret-env KEY`, first);

  const TASK_QUEUE = uniqueName('search');
  startWorker([...TSX, 'pinecone/worker.ts'], { TASK_QUEUE });
  const PROVIDER_MANAGER_DATABASE_URL = stage.managerEnv.DATABASE_URL ?? '';
  const operations = { PROVIDER_TASK_QUEUE: uniqueName('steps'), PROVIDER_MANAGER_DATABASE_URL, ...own };
  const packaged = startWorker([...CLI, 'worker'], operations);
  await packaged.line(/(ready)/).catch(async () => expect.fail((await packaged.stop()).printed));
  const search = () =>
    stage.grants
      .clientFor(workspaceId)
      .workflow.start('search', { taskQueue: TASK_QUEUE, workflowId: uniqueName('search'), args: [[1, 2, 3]] });
  const before = await search();
  expect(await before.result()).toEqual({ ids: [`doc-of-${workspaceId}`], of: 7 });
  expect(pinecone.callsWith(first).map(({ path }) => path)).toEqual(['/query', '/describe_index_stats']);

  expect(await cli(`rotate ${provider} --secret-env KEY`, next)).toContain('delete the key at app.pinecone.io');
  pinecone.revoke(first);
  const after = await search();
  expect(await after.result()).toMatchObject({ of: 7 });
  const checks = { taskQueue: PROVIDER_OPERATIONS_TASK_QUEUE, workflowId: uniqueName('check'), args: [{}] };
  await stage.operator.workflow.execute('checkProviders', checks);
  expect(await cli(`list ${workspaceId}`)).toMatch(/"lastCheck":\s*\{[^}]*"outcome":\s*"ok"/);

  pinecone.revoke(next);
  const refused = await search();
  expect(await refused.result().catch(rootOf)).toMatchObject({ type: 'CredentialRejected', nonRetryable: true });
  for (const { workflowId } of [before, after, refused]) {
    const stored = JSON.stringify(await stage.client.workflow.getHandle(workflowId).fetchHistory());
    const history = stored.replaceAll(/"data":"([^"]+)"/g, (_, data: string) => atob(data));
    expect(history, 'control: payloads are read').toContain('"type":"pinecone"');
    expect(history.includes(first) || history.includes(next), 'a key in a history').toBe(false);
  }
});

/** The first failure of a chain of causes. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause ? rootOf(error.cause) : error;
}

const endOf = ({ child }: RunningProgram) =>
  new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));

function pairs(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
