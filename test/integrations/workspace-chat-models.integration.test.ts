/** Agents of LangChain and LangGraph in activities: the key of the workspace, no key in what they keep, typed failures. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { tool } from '@langchain/core/tools';
import { MemorySaver } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { Context } from '@temporalio/activity';
import { createAgent } from 'langchain';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { workspaceChatModel, workspaceEmbeddings } from '../../src/langchain.js';
import { leaksIn } from '../../testbed/secret-search.js';
import { leaksOf } from '../integration/leaks.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { workspaceWith } from './workspace-activities.js';

const stage = useAgentStage({
  answer: ({ owner, wantsJson }) => (wantsJson ? '{"city":"Oslo"}' : `The key of ${owner} works.`),
});

const MODEL = 'anthropic/claude-sonnet-5-5, openai/gpt-5-mini';

const weather = tool(async ({ city }) => `Sunny in ${city}.`, {
  name: 'weather',
  description: 'Returns the weather of a city.',
  schema: z.object({ city: z.string() }),
});

const checkpointer = new MemorySaver();

const activities = {
  async ask(question: string): Promise<string> {
    const agent = createAgent({ model: workspaceChatModel(MODEL), tools: [weather], checkpointer });
    const thread = { configurable: { thread_id: Context.current().info.workflowExecution?.runId } };
    const { values } = await agent.graph.getState(thread);
    const input = 'messages' in values ? null : { messages: [{ role: 'user', content: question }] };
    const { messages } = await agent.invoke(input, thread);
    expect(messages.map(({ type }) => type)).toEqual(['human', 'ai', 'tool', 'ai']);
    return messages.at(-1)?.text ?? '';
  },
};

/** What the checkpointer keeps of all threads. */
function checkpoints(): Buffer {
  const kept: Uint8Array[] = [];
  const collect = (value: unknown): void => {
    if (value instanceof Uint8Array) kept.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
    else kept.push(Buffer.from(String(value)));
  };
  collect([checkpointer.storage, checkpointer.writes]);
  return Buffer.concat(kept);
}

describe('an agent with tools, in an activity of a worker,', () => {
  let taskQueue: string;

  beforeAll(async () => {
    const workflowsPath = fileURLToPath(new URL('langchain-workflows.ts', import.meta.url));
    ({ taskQueue } = await stage.startWorker({ workflowsPath, activities }));
  });

  const start = (workspaceId: string) =>
    stage.grants.clientFor(workspaceId).workflow.start('assistant', {
      ...{ taskQueue, workflowId: uniqueName('assistant'), args: [`${workspaceId}, how are you?`] },
    });

  test('uses the keys of two workspaces side by side, and leaves no key in checkpoints or histories [G4]', async () => {
    const workspaces = [newWorkspace(), newWorkspace()] as const;
    const keys = [await stage.addLlm(workspaces[0], 'anthropic'), await stage.addLlm(workspaces[1], 'openai')];
    const agents = await Promise.all(workspaces.map(start));
    expect(await Promise.all(agents.map((agent) => agent.result()))).toEqual(
      workspaces.map((workspaceId) => `The key of ${workspaceId} works.`),
    );
    expect(stage.llm.wrongKeyCalls()).toEqual([]);
    expect(leaksIn(checkpoints(), [...workspaces, ...keys]), 'the questions alone are in checkpoints').toEqual(
      workspaces,
    );
    for (const agent of agents) expect(await leaksOf(agent, keys)).toEqual([]);
  });

  test('fails with the failure of withProvider, which is retried or not by its own type', async () => {
    const [unconfigured, busy] = [newWorkspace(), newWorkspace()];
    const refused = await (await start(unconfigured)).result().catch(rootOf);
    expect(refused).toMatchObject({ type: 'ProviderNotConfigured', nonRetryable: true });
    await stage.addLlm(busy, 'anthropic');
    stage.llm.failNext({ status: 529, owner: busy });
    expect(await (await start(busy)).result()).toBe(`The key of ${busy} works.`);
  });
});

describe('a chat model', () => {
  test('answers with the key of the workspace: by a model id, a name and a reference', async () => {
    const { workspaceId, resolver, run } = await workspaceWith(stage, 'openai');
    const reference = await resolver.resolveProvider({ type: 'llm', name: 'openai' });
    for (const model of ['gpt-5-mini', { type: 'llm' as const, name: ['anthropic', 'openai'] }, reference]) {
      const answer = await run(() => workspaceChatModel(model).invoke('Hi'));
      expect(answer.text).toBe(`The key of ${workspaceId} works.`);
    }
  });

  test.each(['anthropic', 'openai'] as const)('of %s calls tools and returns objects', async (service) => {
    const { run } = await workspaceWith(stage, service);
    const model = workspaceChatModel({ type: 'llm', name: service });
    const { tool_calls } = await run(() => model.bindTools([weather]).invoke('Hi'));
    expect(tool_calls).toMatchObject([{ name: 'weather', args: { city: 'sample' } }]);
    const object = model.withStructuredOutput(z.object({ city: z.string() }));
    expect(await run(() => object.invoke('Hi'))).toEqual({ city: service === 'anthropic' ? 'Oslo' : 'sample' });
    const both = model.withStructuredOutput(z.object({ city: z.string() }), { includeRaw: true });
    expect(await run(() => both.invoke('Hi'))).toMatchObject({ parsed: { city: expect.any(String) } });
  });

  test('works in the agent of LangGraph that came before', async () => {
    const { workspaceId, run } = await workspaceWith(stage, 'openai');
    const agent = createReactAgent({ llm: workspaceChatModel('openai/gpt-5-mini'), tools: [weather] });
    const { messages } = await run(() => agent.invoke({ messages: [{ role: 'user', content: 'Hi' }] }));
    expect(messages.at(-1)?.text).toBe(`The key of ${workspaceId} works.`);
  });

  test.each([
    [401, 'CredentialRejected', true],
    [429, 'ProviderRateLimited', false],
    [503, 'ProviderUnavailable', false],
  ] as const)('makes one call if the service answers %i, and fails with %s', async (status, type, nonRetryable) => {
    const { workspaceId, run } = await workspaceWith(stage, 'openai');
    const cancel = stage.llm.failNext({ status, owner: workspaceId, times: 9 });
    onTestFinished(cancel);
    const ask = () => workspaceChatModel('openai/gpt-5-mini').invoke('Hi');
    await expect(run(ask)).rejects.toMatchObject({ type, nonRetryable });
    const made = stage.llm.calls().filter(({ owner }) => owner === workspaceId);
    expect(made).toHaveLength(1);
  });
});

describe('a stream', () => {
  test.each(['anthropic', 'openai'] as const)(
    'of %s is read to its end, and then nothing holds the key',
    async (service) => {
      const { workspaceId, run, held } = await workspaceWith(stage, service);
      const answer = await run(async () => {
        const parts = await workspaceChatModel({ type: 'llm', name: service }).stream('Hi');
        const reader = parts.getReader();
        const first = await reader.read();
        let all = first.value?.text ?? '';
        for (let part = await reader.read(); !part.done; part = await reader.read()) all += part.value.text;
        return all;
      });
      expect(answer).toBe(`The key of ${workspaceId} works.`);
      await vi.waitFor(() => expect(held()).toEqual([]));
    },
  );

  test('gives the key back if its reader stops', async () => {
    const { run, held } = await workspaceWith(stage, 'openai');
    await run(async () => {
      for await (const _ of await workspaceChatModel('openai/').stream('Hi')) break;
    });
    await vi.waitFor(() => expect(held()).toEqual([]));
  });
});

test('embeddings are made with the key of the workspace, and not by a service that has none', async () => {
  const { run } = await workspaceWith(stage, 'openai', 'anthropic');
  const embeddings = workspaceEmbeddings('openai/text-embedding-3-small');
  expect(await run(() => embeddings.embedDocuments(['Hi', 'Ho']))).toEqual([[0.25, -0.5, 0.75], expect.any(Array)]);
  expect(await run(() => embeddings.embedQuery('Hi'))).toHaveLength(3);
  const none = workspaceEmbeddings('anthropic/none');
  await expect(run(() => none.embedQuery('Hi'))).rejects.toMatchObject({ type: 'ProviderConfigInvalid' });
});

describe('traces that LangSmith receives', () => {
  const received: string[] = [];
  const server = createServer((incoming, outgoing) => {
    void text(incoming).then((body) => {
      received.push(body);
      outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('LANGSMITH_TRACING', 'true');
    vi.stubEnv('LANGSMITH_API_KEY', 'the-platform-s-own');
    vi.stubEnv('LANGSMITH_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    vi.stubEnv('LANGSMITH_DISABLE_RUN_COMPRESSION', 'true');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('have the question and the model, and no key [G4]', async () => {
    const { workspaceId, keys, run } = await workspaceWith(stage, 'anthropic', 'openai');
    for (const service of ['anthropic', 'openai']) {
      const model = workspaceChatModel({ type: 'llm', name: service });
      const question = `${workspaceId}, how is it at ${service}?`;
      await run(() =>
        createAgent({ model, tools: [weather] }).invoke({ messages: [{ role: 'user', content: question }] }),
      );
      await run(() => model.withStructuredOutput(z.object({ city: z.string() })).invoke(question));
    }
    await vi.waitFor(() => expect(received.join('\n')).toContain('how is it at openai?'), { timeout: 10_000 });
    expect(received.join('\n')).toContain('WorkspaceChatModel');
    expect(leaksIn(received.join('\n'), [workspaceId, ...keys])).toEqual([workspaceId]);
  });
});

/** The first failure of a chain of causes. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause ? rootOf(error.cause) : error;
}
