/** A running step whose worker is lost or whose agent is cancelled, while the service holds its call. */
import { fileURLToPath } from 'node:url';
import { CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { attemptsIn, eventsIn, pendingFailuresOf } from './history.js';
import { leaksOf } from './leaks.js';
import { type SeverableLink, startSeverableLink } from './severable-link.js';
import type { askModel, ModelQuestion } from './workflows.js';

const EVENT_NAMES = proto.temporal.api.enums.v1.EventType;
const WAIT = { timeout: 20_000, interval: 100 };

const stage = useAgentStage();
let link: SeverableLink;
let workflows: string;

beforeAll(async () => {
  link = await startSeverableLink(temporalAddress());
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  workflows = (await stage.startWorker({ workflowsPath })).taskQueue;
});

afterAll(async () => {
  link?.mend();
  await link?.stop();
});

/** Starts an agent, and holds its model call at the service. */
async function askAndHold(stepOptions: ModelQuestion['stepOptions']) {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  const hold = stage.llm.holdNext({ owner: workspaceId });
  const agent = await stage.grants.clientFor(workspaceId).workflow.start<typeof askModel>('askModel', {
    taskQueue: workflows,
    workflowId: uniqueName('held'),
    args: [{ workspaceId, prompt: `What does ${workspaceId} want?`, stepOptions }],
  });
  await hold.arrived;
  const calls = () => stage.llm.calls().filter(({ owner }) => owner === workspaceId);
  return { workspaceId, agent, hold, calls };
}

test('a step that takes longer than its heartbeat timeout sends heartbeats, and is not retried', async () => {
  const { agent, hold, calls } = await askAndHold({ heartbeatTimeout: '1 second' });
  await vi.waitFor(async () => {
    const [activity] = (await agent.describe()).raw.pendingActivities ?? [];
    const heardAfter = Number(activity?.lastHeartbeatTime?.seconds) - Number(activity?.lastStartedTime?.seconds);
    expect(heardAfter).toBeGreaterThan(1);
  }, WAIT);
  hold.release();
  await agent.result();
  expect(attemptsIn(await agent.fetchHistory()).map(({ attempt }) => attempt)).toEqual([1, 1]);
  expect(calls()).toHaveLength(1);
});

test('a step whose worker is lost runs on another worker', async () => {
  const taskQueue = uniqueName('steps');
  await stage.startWorker({ taskQueue, address: link.address });
  const { agent, hold, calls } = await askAndHold({ taskQueue, heartbeatTimeout: '1 second' });
  link.sever();
  await stage.startWorker({ taskQueue });

  expect((await agent.result()).provider).toMatchObject({ version: 1, cache: 'miss' });
  const [, step] = attemptsIn(await agent.fetchHistory());
  expect(step).toMatchObject({ attempt: 2, lastFailure: { message: 'activity Heartbeat timeout' } });
  expect(calls()).toHaveLength(2);
  expect(await leaksOf(agent, stage.secrets)).toEqual([]);

  // The lost worker returns with its answer, which is ignored.
  hold.release();
  link.mend();
  expect(eventsIn(await agent.fetchHistory(), EVENT_NAMES).at(-1)).toBe('WORKFLOW_EXECUTION_COMPLETED');
});

test('a cancelled agent aborts its call at the service, and ends as cancelled', async () => {
  const { agent, hold, calls } = await askAndHold({
    heartbeatTimeout: '600 milliseconds',
    // By default an agent does not wait for the end of its step.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  });
  await agent.cancel();
  const error: unknown = await agent.result().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  const events = eventsIn(await agent.fetchHistory(), EVENT_NAMES);
  expect(events).toContain('ACTIVITY_TASK_CANCELED');
  expect(events.at(-1)).toBe('WORKFLOW_EXECUTION_CANCELED');
  expect(await leaksOf(agent, stage.secrets)).toEqual([]);

  // After the release, a call that is still connected would be answered before a later one.
  hold.release();
  const other = await askAndHold({});
  other.hold.release();
  await other.agent.result();
  expect(calls()).toEqual([expect.not.objectContaining({ status: expect.anything() })]);
  expect(await pendingFailuresOf(agent)).toEqual([]);
});
