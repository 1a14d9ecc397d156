/** The part that goes through Temporal: every provider with every failure, leaking user code, and a killed worker. */
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { providerDataConverter, WorkspaceGrants } from '../../src/client.js';
import { runAgentWorkflows } from '../support/agent-workflows.js';
import { FAILING } from './echo-service.js';
import { OWN_SETTINGS } from './parts/proc-watch.js';
import { CHAINS, failingWorkspace, LLMS, WORKING } from './providers.js';
import { QUEUES, type Stage } from './stage.js';
import type { Told } from './told.js';
import { MISDEEDS, MISDEEDS_WITHIN } from './user-activities.js';
import type { act, holding, leave, listens, misdeeds, peek, poke, probe } from './user-workflows.js';

const PATIENCE_MS = 120_000;
/** The failures whose workflows are left waiting for their next attempt. */
const PENDING = ['json-500', 'json-429', 'html-502', 'malformed-200', 'cut', 'refused', 'silent'];

export interface Workers {
  readonly user: ChildProcess;
  /** The worker that is killed during a step. */
  readonly victim: ChildProcess;
}

/** Starts the workers, each with its settings in another form. */
export async function startWorkers(stage: Stage): Promise<Workers> {
  const { processes, temporal, workflowBundle, ports, workerEnv, plainWorkerEnv, managerEnv } = stage;
  const userWorker = (taskQueue: string, metricsPort: number, pagePort: number) =>
    processes.userWorker(taskQueue, {
      ...workerEnv,
      LEAKS_WORKER: JSON.stringify({
        ...{ taskQueue, temporalAddress: temporal.address, workflowBundle, metricsPort, pagePort },
      }),
    });
  const [user, victim] = await Promise.all([
    userWorker(QUEUES.user, ports.core, ports.userPage),
    userWorker(QUEUES.victim, 0, 0),
    processes.worker('agents', {
      ...{ ...plainWorkerEnv, PROVIDER_TASK_QUEUE: QUEUES.agents, [OWN_SETTINGS]: '1' },
      PROVIDER_METRICS_ADDRESS: String(ports.agentsPage),
    }),
    processes.worker('operations', {
      ...workerEnv,
      PROVIDER_TASK_QUEUE: 'operations-agents',
      PROVIDER_MANAGER_DATABASE_URL_FILE: managerEnv.DATABASE_URL_FILE as string,
    }),
  ]);
  return { user, victim };
}

export async function runAgents(stage: Stage, { victim }: Workers, told: Told): Promise<void> {
  const all = { llms: LLMS, chains: CHAINS };
  const start = <Run extends (input: never) => Promise<unknown>>(name: string, input: Parameters<Run>[0]) => {
    const { workspaceId } = input as { readonly workspaceId: string };
    const options = { workflowId: `${name}-${randomUUID()}`, taskQueue: QUEUES.user, args: [input] };
    return stage.grants.clientFor(workspaceId).workflow.start(name, options);
  };
  const workspaces = [WORKING, 'ws_unknown', ...FAILING.map(failingWorkspace)];
  const probes = workspaces.flatMap((workspaceId) => [
    start<typeof probe>('probe', { workspaceId, ...all }),
    start<typeof probe>('probe', { workspaceId, ...all, stepsOn: QUEUES.agents }),
  ]);
  for (const how of PENDING) {
    await start<typeof probe>('probe', { workspaceId: failingWorkspace(how), ...all, leftPending: true });
  }
  const held = await start<typeof holding>('holding', { workspaceId: WORKING, on: QUEUES.victim });
  const deeds = await start<typeof misdeeds>('misdeeds', {
    workspaceId: WORKING,
    within: MISDEEDS_WITHIN,
    after: MISDEEDS,
    chains: [1, 4],
  });
  const ungranted = stage.client.workflow.start('probe', {
    ...{ workflowId: `ungranted-${randomUUID()}`, taskQueue: QUEUES.user, args: [{ workspaceId: WORKING, ...all }] },
  });
  await Promise.all([
    ...[...probes, ungranted, deeds].map(async (each) => told.result('a workflow', (await each).result())),
    killed(stage, held, victim, told),
    listen(await start<typeof listens>('listens', { workspaceId: WORKING }), told),
  ]);
}

/** Runs with encrypted payloads, last, because workers without the key could not read them. */
export async function runEncrypted(stage: Stage, told: Told): Promise<void> {
  const { client, signer, payloadKey, processes, workerEnv, settingsFile } = stage;
  await processes.worker('encrypted', {
    ...workerEnv,
    PROVIDER_TASK_QUEUE: QUEUES.encrypted,
    PROVIDER_PAYLOAD_KEY_FILE: await settingsFile('payload-key', payloadKey),
  });
  const dataConverter = providerDataConverter(payloadKey);
  const workflows = await runAgentWorkflows({
    ...{ address: stage.temporal.address, taskQueue: QUEUES.encrypted, dataConverter },
  });
  const encrypted = new Client({ connection: client.connection, dataConverter });
  const workspaceId = failingWorkspace('json-401');
  const { workflow } = new WorkspaceGrants(encrypted, signer).clientFor(workspaceId);
  const agent = workflow.execute('addressAgent', {
    ...{ workflowId: `encrypted-${randomUUID()}`, taskQueue: QUEUES.encrypted },
    args: [{ workspaceId, question: 'Why?', address: '0x0', chainId: 1 }],
  });
  await told.result('a workflow with encrypted payloads', agent);
  await workflows.stop();
}

/** Kills the worker once its step holds a credential and has sent a heartbeat. */
async function killed(stage: Stage, held: WorkflowHandle, victim: ChildProcess, told: Told): Promise<void> {
  const beaten = async () =>
    ((await held.describe()).raw.pendingActivities ?? []).some(({ heartbeatDetails }) => heartbeatDetails?.payloads);
  await until(beaten, 'a heartbeat of the step that holds a credential');
  victim.kill('SIGKILL');
  await stage.processes.userWorker('victim-again', {
    ...stage.workerEnv,
    LEAKS_WORKER: JSON.stringify({
      ...{ taskQueue: QUEUES.victim, temporalAddress: stage.temporal.address, metricsPort: 0, pagePort: 0 },
      workflowBundle: stage.workflowBundle,
    }),
  });
  await told.result('the step of a worker that was killed', held.result());
}

async function listen(handle: WorkflowHandle<typeof listens>, told: Told): Promise<void> {
  await until(
    () =>
      handle.query<string, [string]>('peek' satisfies typeof peek.name, 'look').then(
        () => true,
        () => false,
      ),
    'a query',
  );
  await told.result('a query', handle.query<string, [string]>('peek', 'fail'));
  await told.result('a query of no such name', handle.query('nothing'));
  for (const how of [...MISDEEDS.filter((each) => !each.includes('silent')), 'refuse']) {
    await told.result(
      'an update',
      handle.executeUpdate<unknown, [string]>('act' satisfies typeof act.name, { args: [how] }),
    );
    if (how !== 'refuse') await handle.signal<[string]>('poke' satisfies typeof poke.name, how);
  }
  await handle.signal('leave' satisfies typeof leave.name);
  await told.result('a workflow that listened', handle.result());
}

export async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`did not happen within ${PATIENCE_MS} ms: ${what}`);
    await delay(100);
  }
}
