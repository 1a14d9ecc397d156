/** What a history shows of streams, silence, cut calls and fail-over: steps in workflows on a real Temporal server. */
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { chatStream } from '../activities/model-services.js';
import { type Answer, type ServiceReply, startService } from '../providers/local-service.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { attemptsIn, failureOf } from './history.js';
import type { askModel, ModelQuestion } from './workflows.js';

const stage = useAgentStage();
let taskQueue: string;

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  ({ taskQueue } = await stage.startWorker({ workflowsPath }));
});

/** Starts the step of a workspace whose provider `local-model` is that service. */
async function ask(answer: Answer | ServiceReply, question: Partial<ModelQuestion> = {}) {
  const workspaceId = newWorkspace();
  const service = await startService(answer);
  await stage.addLlm(workspaceId, 'openai-compatible', { config: { baseURL: service.url } });
  const agent = await startAgent({ workspaceId, provider: 'local-model', prompt: 'Hello.', ...question });
  return { agent, service };
}

function startAgent(question: ModelQuestion): Promise<WorkflowHandle<typeof askModel>> {
  const options = { taskQueue, workflowId: uniqueName('ask'), args: [question] as [ModelQuestion] };
  return stage.grants.clientFor(question.workspaceId).workflow.start<typeof askModel>('askModel', options);
}

/** What the heartbeats of the running step contain. */
async function heartbeatOf(agent: WorkflowHandle): Promise<unknown> {
  const { raw } = await agent.describe();
  const [payload] = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
  return payload && defaultPayloadConverter.fromPayload(payload);
}

/** A stream whose end the test decides. */
function heldStream(texts: readonly string[]) {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const [first = '', ...rest] = chatStream(texts);
  const events = async function* () {
    yield first;
    await released;
    yield* rest;
  };
  return { events: events(), release };
}

const HEARTBEATS = { heartbeatTimeout: '1 second' } as const;

describe('a stream', () => {
  test('shows its progress while it runs, and its whole text as the result', async () => {
    const { events, release } = heldStream(['Seven cha', 'racters.']);
    const { agent } = await ask({ status: 200, events }, { stream: true, stepOptions: HEARTBEATS });
    await vi.waitFor(async () => expect(await heartbeatOf(agent)).toMatchObject({ receivedCharacters: 9 }), 20_000);
    release();
    expect(await agent.result()).toMatchObject({ text: 'Seven characters.', finishReason: 'stop' });
    expect(attemptsIn(await agent.fetchHistory()).map(({ attempt }) => attempt)).toEqual([1, 1]);
  });

  test('ends when the agent is cancelled: the service sees the connection close', async () => {
    const { events } = heldStream(['Once upon ', 'a time']);
    const { agent } = await ask({ status: 200, events }, { stream: true, stepOptions: HEARTBEATS });
    await vi.waitFor(async () => expect(await heartbeatOf(agent)).toMatchObject({ receivedCharacters: 10 }), 20_000);
    await agent.cancel();
    await expect(agent.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  });

  test('that a gateway cuts is asked again, and the result is that of the second', async () => {
    let calls = 0;
    const answer = () => {
      calls += 1;
      return { status: 200, events: chatStream(['all of it'], {}, calls === 1 ? null : 'stop'), isCut: calls === 1 };
    };
    const { agent } = await ask(answer, { stream: true });
    expect(await agent.result()).toMatchObject({ text: 'all of it' });
    expect(attemptsIn(await agent.fetchHistory())[1]).toMatchObject({
      attempt: 2,
      lastFailure: { type: 'ProviderUnavailable' },
    });
  });
});

test('a model that thinks longer than the step may take is asked twice, and the step ends with a type of ours', async () => {
  const stepOptions = { startToCloseTimeout: '2 seconds', retry: { initialInterval: '50 milliseconds' } } as const;
  const { agent, service } = await ask(() => undefined, { stepOptions });
  expect(await failureOf(agent)).toMatchObject({
    type: 'AnswerUnusable',
    nonRetryable: true,
    message: expect.stringMatching(/within the 2 s .*not asked again: .*startToCloseTimeout/),
  });
  expect(service.requests).toHaveLength(2);
  expect(attemptsIn(await agent.fetchHistory())[1]).toMatchObject({
    attempt: 2,
    lastFailure: { type: 'ProviderUnavailable', message: expect.stringContaining('asked once more') },
  });
});

describe('a step with fallbacks', () => {
  test('answers with the first provider that answers, and its history says which', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId, 'anthropic');
    await stage.addLlm(workspaceId, 'openai', { admitted: false });
    await stage.addLlm(workspaceId, 'gemini');
    stage.llm.failNext({ provider: 'anthropic', owner: workspaceId, status: 529 });
    const agent = await startAgent({ workspaceId, orElse: ['openai', 'gemini'], prompt: 'Hello.' });
    expect(await agent.result()).toMatchObject({
      provider: { name: 'gemini' },
      skipped: [
        { name: 'anthropic', failure: 'ProviderRateLimited' },
        { name: 'openai', failure: 'CredentialRejected' },
      ],
    });
    expect(attemptsIn(await agent.fetchHistory()).at(-1)).toMatchObject({ attempt: 1 });
  });

  test('is retried by Temporal if none answers, from the first on', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId, 'anthropic');
    await stage.addLlm(workspaceId, 'openai');
    for (const provider of ['anthropic', 'openai'] as const) {
      stage.llm.failNext({ provider, owner: workspaceId, status: 503 });
    }
    const agent = await startAgent({ workspaceId, orElse: ['openai'], prompt: 'Hello.' });
    const result = await agent.result();
    expect(result).toMatchObject({ provider: { name: 'anthropic' } });
    expect(result).not.toHaveProperty('skipped');
  });
});
