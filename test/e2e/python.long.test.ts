/**
 * The Python example, as its page runs it: a client that signs grants, a FastAPI gateway, and workflows that call the
 * activities of a TypeScript worker by name. What they send and receive fits the published schemas.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { pythonOrReason, run } from '../support/python.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/python/', import.meta.url));
const SCHEMAS = new URL('../../docs/activities.schema.json', import.meta.url);
const SETUP_TIMEOUT_MS = 180_000;
const [acme, globex, other] = [newWorkspace(), newWorkspace(), newWorkspace()];
const TOKENS = { [acme]: 'token-of-acme', [globex]: 'token-of-globex', [other]: 'token-of-other' };

const stage = useAgentStage({ answer: ({ owner }) => `answered for ${owner}` });
let python: string;
let missing: string | undefined;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const found = await pythonOrReason(`${EXAMPLE}requirements.txt`);
  if ('missing' in found) {
    missing = found.missing;
    return;
  }
  python = found.path;
  await Promise.all([stage.addLlm(acme), stage.addLlm(globex)]);
  const { taskQueue } = await stage.startWorker();
  env = {
    ...process.env,
    TEMPORAL_ADDRESS: temporalAddress(),
    AGENT_TASK_QUEUE: taskQueue,
    PYTHON_TASK_QUEUE: uniqueName('python'),
    PROVIDER_GRANT_SIGNING_KEY: stage.grantKeys.signingKey,
    GATEWAY_TOKENS: JSON.stringify(Object.fromEntries(Object.entries(TOKENS).map(([id, token]) => [token, id]))),
    PYTHONDONTWRITEBYTECODE: '1',
  };
}, SETUP_TIMEOUT_MS);

beforeEach(({ skip }) => skip(missing !== undefined, missing));

/** Starts a program of the example, and waits until it prints a line that fits. */
async function start(script: string, ready: RegExp, more: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const child = spawn(python, [script], { cwd: EXAMPLE, env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      printed += chunk;
      if (ready.test(printed)) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => reject(new Error(`${script} ended:\n${printed}`)));
  });
  return child;
}

const startWorker = () => start('worker.py', /ready on /);

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return String(port);
}

/** Inputs and results of a workflow's activities, by the name of the activity. */
async function activitiesOf(workflowId: string) {
  const { events } = await stage.client.workflow.getHandle(workflowId).fetchHistory();
  const decode = (payload: Payload | undefined) => defaultPayloadConverter.fromPayload(payload as Payload);
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled, eventId }) => {
    if (!scheduled) return [];
    const completed = events?.find(
      ({ activityTaskCompletedEventAttributes: ended }) => ended?.scheduledEventId?.toString() === eventId?.toString(),
    )?.activityTaskCompletedEventAttributes;
    const name = scheduled.activityType?.name as string;
    return [{ name, input: decode(scheduled.input?.payloads?.[0]), result: decode(completed?.result?.payloads?.[0]) }];
  });
}

test('a Python client starts a workflow in Python, and its steps use the key of its workspace [G3]', async () => {
  await startWorker();
  const before = stage.llm.calls().length;
  const ask = async (workspaceId: string) => {
    const { stdout } = await run(python, ['start.py', workspaceId, `What does ${workspaceId} want?`], {
      cwd: EXAMPLE,
      env,
    });
    return stdout.trim();
  };
  expect(await Promise.all([acme, globex].map(ask))).toEqual([`answered for ${acme}`, `answered for ${globex}`]);
  const calls = stage.llm.calls().slice(before);
  expect(calls.map(({ owner, expectedOwner }) => owner === expectedOwner)).toEqual([true, true]);
});

const START_FAMILY = `
import asyncio, os, sys
from temporalio.client import Client
from workflows import AnswerAll
from workspace_grants import GrantInterceptor, GrantSigner

async def main(workspace_id, workflow_id, *questions):
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"], interceptors=[GrantInterceptor()])
    arguments = [list(questions), ["anthropic"], os.environ["AGENT_TASK_QUEUE"]]
    with GrantSigner.from_env().granted(workspace_id, workflow_id):
        await client.start_workflow(
            AnswerAll.run, args=arguments, id=workflow_id, task_queue=os.environ["PYTHON_TASK_QUEUE"]
        )
    await asyncio.sleep(0.1)

asyncio.run(main(*sys.argv[1:]))
`;

test('a workflow in Python passes its grant on to its children [G3]', async () => {
  await startWorker();
  const [workflowId, prompt] = [uniqueName('family'), `What does ${acme} want?`];
  await run(python, ['-c', START_FAMILY, acme, workflowId, prompt, prompt], { cwd: EXAMPLE, env });
  const answer = `answered for ${acme}`;
  expect(await stage.client.workflow.getHandle(workflowId).result()).toEqual([answer, answer]);
  expect(await stage.client.workflow.getHandle(`${workflowId}/question-2`).result()).toBe(answer);
});

describe('the gateway', () => {
  let port: string;
  const request = async (token: string, path: string, body?: object) => {
    const method = body === undefined ? 'GET' : 'POST';
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body: JSON.stringify(body) });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  beforeEach(async () => {
    port = await freePort();
    await Promise.all([startWorker(), start('gateway.py', /Uvicorn running on/, { GATEWAY_PORT: port })]);
  });

  test("answers with the key of the caller's workspace, and what was sent and received fits the schemas", async () => {
    const asked = await request(TOKENS[acme] as string, '/answers', { question: `What does ${acme} want?` });
    expect(asked.status).toBe(202);
    expect(await request(TOKENS[acme] as string, `/answers/${asked.body.id}`)).toEqual({
      status: 200,
      body: { answer: `answered for ${acme}` },
    });
    const activities = await activitiesOf(`${acme}.answer-${asked.body.id}`);
    expect(activities.map(({ name }) => name)).toEqual(['llmStep']);
    const { $schema, activities: published, definitions } = JSON.parse(await readFile(SCHEMAS, 'utf8'));
    for (const { name, input, result } of activities) {
      const schemaOf = (part: 'input' | 'result') =>
        z.fromJSONSchema({ $schema, ...published[name][part], definitions });
      expect(schemaOf('input').parse(input)).toEqual(input);
      expect(schemaOf('result').parse(result)).toEqual(result);
      expect(schemaOf('input').safeParse({ ...(input as object), madeUp: 1 }).success).toBe(false);
      expect(schemaOf('result').safeParse({}).success).toBe(false);
    }
  });

  test('refuses an unknown token, and another workspace’s answer is not found [G3]', async () => {
    const asked = await request(TOKENS[acme] as string, '/answers', { question: `What does ${acme} want?` });
    expect(await request('made-up', '/answers', { question: 'Who?' })).toMatchObject({ status: 401 });
    expect(await request(TOKENS[globex] as string, `/answers/${asked.body.id}`)).toMatchObject({ status: 404 });
  });

  test('says what a workspace lacks', async () => {
    const asked = await request(TOKENS[other] as string, '/answers', { question: 'Who?' });
    expect(await request(TOKENS[other] as string, `/answers/${asked.body.id}`)).toMatchObject({
      status: 422,
      body: { detail: { type: 'ProviderNotConfigured' } },
    });
  });
});
