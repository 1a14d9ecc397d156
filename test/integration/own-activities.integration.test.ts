/** The example `own-activities.ts` keeps its promise: the vendors' SDKs run as the workspace, and leak nothing. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import { ApplicationFailure } from '@temporalio/common';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { withProvider } from '../../src/index.js';
import { resolverInContext } from '../../src/plugin/with-provider.js';
import { leaksIn } from '../../testbed/secret-search.js';
import { echoesKey } from '../../testbed/standins/failures.js';
import { inActivity } from '../activities/in-activity.js';
import { FUNDED_ADDRESS, newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { attemptsIn, failureOf } from './history.js';
import { leaksOf } from './leaks.js';
import * as ownActivities from './own-activities.js';
import type { compareModels } from './workflows.js';

/** Variables that the SDKs would read from a worker's environment. */
const PLATFORMS_OWN = {
  ANTHROPIC_API_KEY: 'canary-platform-anthropic',
  ANTHROPIC_AUTH_TOKEN: 'canary-platform-token',
  OPENAI_API_KEY: 'canary-platform-openai',
  OPENAI_ORG_ID: 'canary-platform-organization',
  OPENAI_PROJECT_ID: 'canary-platform-project',
  GEMINI_API_KEY: 'canary-platform-gemini',
  GOOGLE_GENAI_USE_VERTEXAI: 'true',
};

const stage = useAgentStage({ chain: true, answer: ({ provider, owner }) => `${provider} for ${owner}` });
let taskQueue: string;

beforeAll(async () => {
  for (const [name, value] of Object.entries(PLATFORMS_OWN)) vi.stubEnv(name, value);
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  ({ taskQueue } = await stage.startWorker({ workflowsPath, activities: ownActivities }));
});

afterAll(async () => {
  vi.unstubAllEnvs();
});

async function compare(workspaceId: string) {
  const keys = await Promise.all([
    ...(['anthropic', 'openai', 'gemini'] as const).map((service) => stage.addLlm(workspaceId, service)),
    stage.addEndpoint(workspaceId, 'main'),
  ]);
  const start = () =>
    stage.grants.clientFor(workspaceId).workflow.start<typeof compareModels>('compareModels', {
      taskQueue,
      workflowId: uniqueName('compare'),
      args: [{ workspaceId, chainId: stage.chain.chainId, address: FUNDED_ADDRESS }],
    });
  return { keys, start };
}

const lastFailuresOf = async (agent: Awaited<ReturnType<Awaited<ReturnType<typeof compare>>['start']>>) =>
  attemptsIn(await agent.fetchHistory()).flatMap(({ lastFailure }) => lastFailure ?? []);

describe("an agent with its own activities that use each vendor's official SDK", () => {
  test("calls every service with the workspace's key, and never with a key from the worker's environment", async () => {
    const workspaceId = newWorkspace();
    const { start } = await compare(workspaceId);
    const agent = await start();
    expect(await agent.result()).toEqual({
      answers: [`anthropic for ${workspaceId}`, `openai for ${workspaceId}`, `gemini for ${workspaceId}`],
      balanceWei: '10000000000000000000000',
    });
    const calls = stage.llm.calls().filter(({ expectedOwner }) => expectedOwner === workspaceId);
    expect(calls.map(({ owner }) => owner)).toEqual([workspaceId, workspaceId, workspaceId]);
    expect(await leaksOf(agent, [...stage.secrets, ...Object.values(PLATFORMS_OWN).slice(0, -1)])).toEqual([]);
  });

  test('gets typed failures, and only Temporal retries', async () => {
    const workspaceId = newWorkspace();
    const { start } = await compare(workspaceId);
    for (const provider of ['anthropic', 'openai', 'gemini'] as const) {
      stage.llm.failNext({ ...echoesKey(503), provider, owner: workspaceId });
    }
    const agent = await start();
    await agent.result();
    const failures = await lastFailuresOf(agent);
    expect(failures.map(({ message }) => message).sort()).toEqual(
      ['anthropic', 'gemini', 'openai'].map((name) => `llm/${name} of ${workspaceId} is not available (HTTP 503)`),
    );
    expect(new Set(failures.map(({ type }) => type))).toEqual(new Set(['ProviderUnavailable']));
    expect(stage.llm.calls().filter(({ expectedOwner }) => expectedOwner === workspaceId)).toHaveLength(6);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });

  test('gets CredentialRejected for a key in a URL, without the URL that viem would print [G6]', async () => {
    const workspaceId = newWorkspace();
    const { keys, start } = await compare(workspaceId);
    stage.chain.gateway.revoke(keys.at(-1) ?? '');
    const agent = await start();
    expect(await failureOf(agent)).toMatchObject({
      type: 'CredentialRejected',
      nonRetryable: true,
      message: `rpc/main of ${workspaceId} refused the credential (HTTP 401, JSON-RPC -32600)`,
    });
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });
});

test("an SDK sends no key of the platform to a workspace's service, although it looks for one [G17]", async () => {
  const service = await startRecorder();
  try {
    const workspaceId = newWorkspace();
    const baseURL = service.url;
    const names = ['anthropic', 'openai', 'gemini'];
    for (const name of names) await stage.addLlm(workspaceId, name as 'openai', { config: { baseURL } });
    const resolver = (await stage.connect()).resolver;
    const worker = inActivity({}, [() => ({ inbound: resolverInContext(resolver) })]);
    const asks = [ownActivities.askClaude, ownActivities.askGpt, ownActivities.askGemini];
    for (const [index, ask] of asks.entries()) {
      const ref = await resolver.resolveLlmKey({ workspaceId: workspaceId, provider: names[index] ?? '' });
      await expect(worker.run(ask, { ref, prompt: 'hi' })).rejects.toMatchObject({
        type: 'ProviderRequestInvalid',
      });
    }
    expect(service.seen).toHaveLength(3);
    expect(service.seen.join()).not.toContain('canary-platform');

    await new OpenAI({ apiKey: 'canary-own', baseURL, maxRetries: 0 }).models.list().catch(() => undefined);
    expect(service.seen.at(-1)).toContain(PLATFORMS_OWN.OPENAI_ORG_ID);
  } finally {
    await service.stop();
  }
});

/** Starts a service that records the headers of each request, and refuses it. */
async function startRecorder() {
  const seen: string[] = [];
  const server = createServer(({ headers }, response) => {
    seen.push(JSON.stringify(headers));
    response.writeHead(400).end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  };
  return { seen, stop, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('a failure that an activity throws itself is kept, even if the service rejected the key', async () => {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  stage.llm.failNext({ ...echoesKey(401), owner: workspaceId });
  const resolver = (await stage.connect()).resolver;
  const ref = await resolver.resolveLlmKey({ workspaceId: workspaceId, provider: 'anthropic' });
  const decides = () =>
    withProvider(ref, async ({ credential, fetch }) => {
      const anthropic = new Anthropic({ apiKey: credential.apiKey, baseURL: credential.baseURL, fetch });
      const cause: unknown = await anthropic.models.list().catch((error: unknown) => error);
      throw ApplicationFailure.create({ type: 'NoModels', message: 'there are no models', cause: cause as Error });
    });
  const worker = inActivity({}, [() => ({ inbound: resolverInContext(resolver) })]);
  const failure: unknown = await worker.run(decides).catch((error: unknown) => error);
  expect(failure).toMatchObject({ type: 'NoModels', message: 'there are no models' });
  expect(leaksIn(inspect(failure, { depth: 12 }), stage.secrets)).toEqual([]);
  expect(resolver.parts.cache.counts.load, 'the refused request is looked into once').toBe(2);
});

test('withProvider names what it needs if it is called outside an activity', () => {
  const ref = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic', version: 1 } as const;
  const use = () => withProvider({ ...ref, source: 'workspace', cache: 'hit', shown: {} }, async () => 'never');
  expect(use).toThrow(
    'withProvider must be called inside an activity of a worker that has the WorkspaceProviders plugin',
  );
});
