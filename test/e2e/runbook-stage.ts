/**
 * A small production for the drills of the runbook: a durable Postgres that may crash, a Temporal namespace of its own,
 * worker processes, a stand-in for the model services, and an operator's shell with only the command line on its path.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';
import { type RestartablePostgres, startRestartablePostgres } from '../../testbed/restartable-postgres.js';
import { openStage, type Stage } from '../../testbed/stage.js';
import { type LlmStandIn, startLlmStandIn } from '../../testbed/standins/llm.js';
import type { Teardown } from '../../testbed/teardown.js';
import { CLI, run } from '../cli/run-cli.js';
import { type RunningCommand, startCommand } from '../cli/running-command.js';
import { runAgentWorkflows } from '../support/agent-workflows.js';
import { createTestDatabase } from '../support/database.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { newNamespace } from './new-namespace.js';

/** Short, so that a fence that must wait for it is soon over. The runbook's production has 30 s. */
const LEASE = '1s';
const LONGEST_STEP = '1s';

export const PROVIDER = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' } as const;

type Service = 'anthropic' | 'openai';
type Env = Readonly<Record<string, string>>;

export interface RunbookStage extends Stage {
  readonly postgres: RestartablePostgres;
  readonly llm: LlmStandIn;
  /** A key that the service accepts. It accepts no others. */
  admittedKey(service?: Service): string;
  newKey(): string;
  /** Gives ws_acme this one provider, with a key that works. @returns the key */
  configured(name?: Service): Promise<string>;
  /** Gives ws_acme one provider, sealed under a root key that is lost. */
  startAnewUnderLostRootKey(): Promise<void>;
  /** Writes a key that the service accepts into the operator's file `new-key`. @returns the key */
  newKeyFile(service?: Service): Promise<string>;
  /** Starts an agent that asks a model, and then ends, because its workspace has no chain. */
  startAgent(question: string): Promise<WorkflowHandleWithFirstExecutionRunId>;
  pidOf(identity: string): number;
  /** Runs an operator's commands word for word. @returns everything that they showed */
  operate(commands: string, env?: Env): Promise<{ readonly exitCode: number | null; readonly shown: string }>;
}

export async function runbookStage(teardown: Teardown): Promise<RunbookStage> {
  const folder = await mkdtemp(join(tmpdir(), 'runbook-'));
  teardown.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const dataFolder = join(folder, 'postgres');
  const postgres = await teardown.use(startRestartablePostgres({ durable: true, dataFolder }));
  const database = await createTestDatabase(teardown, postgres.url);
  const queues = { agents: uniqueName('agents'), operations: uniqueName('operations') };
  const stage = await openStage({
    ...{ database, temporalAddress: temporalAddress(), namespace: await newNamespace('runbook'), teardown },
    ...{ operator: 'cli:you@host', operationsTaskQueue: queues.operations },
  });
  const { manager, managerEnv, workerEnv, grants, secrets } = stage;
  const llm = await teardown.use(
    startLlmStandIn({ keys: [], answer: ({ wantsJson }) => (wantsJson ? '{"transferWei":"1"}' : 'Yes.') }),
  );
  const bin = await makePrograms(folder);
  const keySet = join(folder, 'grant-keys.json');
  await writeFile(keySet, stage.grantKeys.keySet);
  const workers = new Map<string, RunningCommand>();
  const startWorker = async (identity: string, more: Env = {}) => {
    const worker = await startCommand(['worker', '--json'], {
      ...{ ...workerEnv, PROVIDER_GRANT_KEYS: keySet, PROVIDER_TASK_QUEUE: queues.agents },
      ...{ PROVIDER_WORKER_IDENTITY: identity, PROVIDER_CACHE_LEASE: LEASE, PROVIDER_LONGEST_STEP: LONGEST_STEP },
      ...more,
    });
    teardown.defer(() => worker.end('SIGKILL'));
    workers.set(identity, worker);
  };
  const { namespace } = stage.client.options;
  await Promise.all([
    teardown.use(runAgentWorkflows({ address: temporalAddress(), namespace, taskQueue: queues.agents })),
    startWorker('agents-1'),
    startWorker('agents-2', { PROVIDER_MANAGER_DATABASE_URL: database.managerUrl }),
  ]);

  const newKey = () => {
    const key = `canary-runbook-${randomBytes(8).toString('hex')}`;
    secrets.push(key);
    return key;
  };
  const admittedKey = (provider: Service = 'anthropic') => {
    const key = newKey();
    llm.admit({ provider, key, owner: PROVIDER.workspaceId });
    return key;
  };
  /** Nothing is left of the drill before. */
  const removeProviders = async () => {
    const { workspaceId } = PROVIDER;
    for (const { type, name } of await manager.listProviders(workspaceId)) {
      await manager.removeProvider({ workspaceId, type, name });
    }
  };
  return {
    ...{ ...stage, postgres, llm, newKey, admittedKey },
    async configured(name = 'anthropic') {
      await removeProviders();
      const apiKey = admittedKey(name);
      const config = { baseURL: llm.baseUrls[name].sdk, model: 'claude-sonnet-5-5' };
      await manager.configureProvider({ ...PROVIDER, name, config, secret: { apiKey } });
      return apiKey;
    },
    async startAnewUnderLostRootKey() {
      await removeProviders();
      await manager.shredWorkspace(PROVIDER.workspaceId);
      const lost = stage.managerWith(`lost:${randomBytes(32).toString('base64')}`);
      await lost.configureProvider({ ...PROVIDER, secret: { apiKey: newKey() } });
    },
    async newKeyFile(service) {
      const key = admittedKey(service);
      await writeFile(join(folder, 'new-key'), `${key}\n`, { mode: 0o600 });
      return key;
    },
    startAgent: (question) =>
      grants.clientFor(PROVIDER.workspaceId).workflow.start('addressAgent', {
        ...{ taskQueue: queues.agents, workflowId: uniqueName('agent') },
        args: [{ ...PROVIDER, question, address: '0x0', chainId: 1, providers: ['anthropic'] }],
      }),
    pidOf: (identity) => Number(workers.get(identity)?.document.pid),
    async operate(commands, env) {
      const inFolder = `cd '${folder}'\nexec 2>&1\n${commands}`;
      const PATH = [bin, process.env.PATH].join(delimiter);
      const ran = await run('sh', ['-eu', '-c', inFolder], { env: { ...managerEnv, PATH, ...env } });
      return { exitCode: ran.exitCode, shown: ran.stdout };
    },
  };
}

/** @returns the folder with the operator's programs */
async function makePrograms(folder: string): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const programs = {
    'workspace-providers': `'${process.execPath}' '${CLI}'`,
    temporal: `'${await findTemporalCli()}'`,
  };
  for (const [name, program] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
  }
  return bin;
}
