/** Each failure with its real cause, through Temporal: what an agent can catch, and what the server stores. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { Secret } from '../../src/redaction/secret.js';
import { encodingsOf, leaksIn } from '../../testbed/secret-search.js';
import { echoesKey } from '../../testbed/standins/failures.js';
import { FUNDED_ADDRESS, newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { attemptsIn, failureOf, pendingFailuresOf } from './history.js';
import { leaksOf } from './leaks.js';
import { NOT_RETRIED, RETRIED, type ServiceFailure } from './service-failures.js';
import { STORED } from './stored-failures.js';
import type { addressAgent, askModel, callActivity, ModelQuestion, readChain } from './workflows.js';

/** Leaked by test activities on purpose, to show that the search finds it. */
const PLANTED = 'canary/planted+where-it-must-be-found';

/** Opened in this process like a credential, so the same leaks must not carry it out of an activity. */
const OPENED = new Secret(`canary/+${randomBytes(36).toString('hex')}`).reveal();

/** An activity that puts a secret into everything that it can send to Temporal. */
function leaking(secret: string) {
  const forms = { basic: Buffer.from(`user:${secret}`).toString('base64'), url: encodeURIComponent(secret) };
  return async () => {
    const { info, heartbeat } = Context.current();
    heartbeat({ forms });
    if (info.attempt === 2) return { secret, forms };
    throw ApplicationFailure.create({ message: secret, type: secret, details: [forms], cause: new Error(secret) });
  };
}

/** Shows a search something else than it shows a payload converter, which reads it later. */
function twoFaced(secret: string, readsBefore: number): object {
  let reads = 0;
  const answer = () => {
    reads += 1;
    return reads > readsBefore ? { secret } : {};
  };
  return { toJSON: answer };
}

/** An activity that puts a secret into objects whose JSON an object search does not see. */
function hiding(secret: string) {
  return async () => {
    const { info, heartbeat } = Context.current();
    const bytes = Buffer.from(secret);
    heartbeat([new String(secret), twoFaced(secret, 1), { [Symbol.for('key')]: 1 }]);
    const mutated: Record<string, unknown> = {};
    const details = [new String(secret), ...[0, 1, 2, 3].map((reads) => twoFaced(secret, reads)), bytes];
    if (info.attempt === 1)
      throw ApplicationFailure.create({ message: 'refused', details, cause: new ErrorOfTwoFaces(secret) });
    queueMicrotask(() => Object.assign(mutated, { secret }));
    return [...details, mutated, new Proxy({ shown: '' }, { get: (_, key) => (key === 'shown' ? secret : undefined) })];
  };
}

class ErrorOfTwoFaces extends Error {
  #reads = 0;
  constructor(secret: string) {
    super();
    Object.defineProperty(this, 'message', { get: () => (this.#read() > 2 ? secret : 'refused') });
    Object.defineProperty(this, 'stack', { get: () => (this.#read() > 2 ? `Error: ${secret}\n    at x` : 'Error') });
  }

  #read(): number {
    this.#reads += 1;
    return this.#reads;
  }
}

const stage = useAgentStage({ chain: true });
let taskQueue: string;

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  const cause = new Error(`by a service that echoes ${PLANTED}`);
  const leak = () => Promise.reject(ApplicationFailure.create({ message: 'refused', cause }));
  ({ taskQueue } = await stage.startWorker({
    workflowsPath,
    activities: {
      leak,
      leakPlanted: leaking(PLANTED),
      leakOpened: leaking(OPENED),
      hidePlanted: hiding(PLANTED),
      hideOpened: hiding(OPENED),
    },
  }));
});

function ask(workspaceId: string, question: Partial<ModelQuestion> = {}): Promise<WorkflowHandle<typeof askModel>> {
  const stepOptions = { retry: { initialInterval: '20 milliseconds' } };
  const prompt = `What does ${workspaceId} want?`;
  const args: [ModelQuestion] = [{ workspaceId, prompt, stepOptions, ...question }];
  return stage.grants
    .clientFor(workspaceId)
    .workflow.start('askModel', { taskQueue, workflowId: uniqueName('ask'), args });
}

const callsFor = (workspaceId: string) => stage.llm.calls().filter((call) => call.expectedOwner === workspaceId);

/** Rows with the title texts first, because vitest cuts the fields of an object to forty characters. */
function titled<Case extends { when: string; type: string }>(cases: readonly Case[]): [string, string, Case][] {
  return cases.map((each) => [each.when, each.type, each]);
}

/** The provider that a service's failures name. */
function providerOf(workspaceId: string, { service = 'anthropic' }: ServiceFailure) {
  const name = service === 'openai-compatible' ? 'local-model' : service;
  return { workspaceId, type: 'llm', name };
}

function messageOf(workspaceId: string, failure: ServiceFailure) {
  const who = `llm/${providerOf(workspaceId, failure).name} of ${workspaceId} `;
  const { message } = failure;
  return message instanceof RegExp
    ? expect.stringMatching(new RegExp(message.source.replace('^', who)))
    : `${who}${message}`;
}

describe('a step', () => {
  test.each(titled(NOT_RETRIED))('fails at once if %s: %s', async (_, __, failure) => {
    const { service, order, type } = failure;
    const workspaceId = newWorkspace();
    const provider = providerOf(workspaceId, failure);
    await stage.addLlm(workspaceId, service, { admitted: order !== undefined });
    if (order) stage.llm.failNext({ ...order, owner: workspaceId });

    const agent = await ask(workspaceId, { provider: provider.name });
    expect(await failureOf(agent)).toMatchObject({
      type,
      nonRetryable: true,
      message: messageOf(workspaceId, failure),
      details: [{ provider }],
    });
    expect(callsFor(workspaceId)).toHaveLength(1);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });

  // Concurrent, because the server takes a second per retry, however short the interval.
  test.concurrent.each(titled(RETRIED))('is retried until it succeeds if %s: %s', async (_, __, failure) => {
    const { service, order, type, nextRetryDelayMs } = failure;
    const workspaceId = newWorkspace();
    const provider = providerOf(workspaceId, failure).name;
    await stage.addLlm(workspaceId, service);
    const first = stage.llm.holdNext({ owner: workspaceId });
    stage.llm.failNext({ status: 500, ...order, owner: workspaceId });

    const agent = await ask(workspaceId, { provider });
    await first.arrived;
    const second = stage.llm.holdNext({ owner: workspaceId });
    first.release();
    await second.arrived;
    const kept = { type, nonRetryable: false, message: messageOf(workspaceId, failure), nextRetryDelayMs };
    expect(await pendingFailuresOf(agent)).toEqual([expect.objectContaining(kept)]);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);

    second.release();
    expect((await agent.result()).provider).toMatchObject({ name: provider, version: 1 });
    const [, step] = attemptsIn(await agent.fetchHistory());
    expect(step).toEqual({ attempt: 2, lastFailure: expect.objectContaining(kept) });
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
    const [failed, answered, ...more] = callsFor(workspaceId);
    expect(more).toEqual([]);
    const waitedMs = Date.parse(answered?.at ?? '') - Date.parse(failed?.at ?? '');
    expect(waitedMs).toBeGreaterThanOrEqual(nextRetryDelayMs ?? 20);
  });
});

test.each(titled(STORED))(
  'a step calls no service and fails if %s: %s',
  async (_, __, { arrange, question, type, message, fields }) => {
    const workspaceId = newWorkspace();
    await arrange?.(stage, workspaceId);
    const agent = await ask(workspaceId, question?.(workspaceId));
    const failure = await failureOf(agent);
    expect(failure).toMatchObject({ type, nonRetryable: true, message: message(workspaceId) });
    if (fields) expect(failure.details).toEqual([expect.objectContaining({ fields })]);
    expect(callsFor(workspaceId)).toEqual([]);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  },
);

describe('a step on a chain', () => {
  const read = (workspaceId: string, question: object = {}): Promise<WorkflowHandle<typeof readChain>> =>
    stage.grants.clientFor(workspaceId).workflow.start('readChain', {
      taskQueue,
      workflowId: uniqueName('read'),
      args: [{ workspaceId, chainId: stage.chain.chainId, method: 'eth_blockNumber', ...question }],
    });

  test('fails with ProviderConfigInvalid if the URL leads to another chain', async () => {
    const workspaceId = newWorkspace();
    await stage.addEndpoint(workspaceId, 'main', { chainId: 1 });
    const agent = await read(workspaceId, { chainId: 1 });
    expect(await failureOf(agent)).toMatchObject({
      type: 'ProviderConfigInvalid',
      nonRetryable: true,
      message: `rpc/main of ${workspaceId}: the endpoint answers for chain ${stage.chain.chainId}, and is configured for chain 1`,
      details: [{ fields: ['config.chainId'] }],
    });
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });

  test('fails with CredentialRejected if the key in the URL is rejected', async () => {
    const workspaceId = newWorkspace();
    await stage.addEndpoint(workspaceId, 'main', { admitted: false });
    const agent = await read(workspaceId);
    expect(await failureOf(agent)).toMatchObject({
      type: 'CredentialRejected',
      nonRetryable: true,
      message: `rpc/main of ${workspaceId} refused the credential (HTTP 401, JSON-RPC -32600)`,
    });
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });

  test('is retried until it succeeds if the node is unavailable for a moment', async () => {
    const workspaceId = newWorkspace();
    await stage.addEndpoint(workspaceId, 'main');
    stage.chain.gateway.failNext({ owner: `${workspaceId} main`, ...echoesKey(502), times: 1 });
    const agent = await read(workspaceId, { stepOptions: { retry: { initialInterval: '20 milliseconds' } } });
    expect(await agent.result()).toMatchObject({ skipped: [], provider: { name: 'main' } });
    const [, step] = attemptsIn(await agent.fetchHistory());
    expect(step?.lastFailure).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });

  test('fails with CredentialRejected if Tenderly rejects the key while the agent runs', async () => {
    const workspaceId = newWorkspace();
    await Promise.all([stage.addLlm(workspaceId), stage.addEndpoint(workspaceId, 'main')]);
    stage.chain.tenderly.revoke(await stage.addTenderly(workspaceId));
    const { chainId } = stage.chain;
    const question = { workspaceId, question: `Can ${workspaceId} pay?`, address: FUNDED_ADDRESS, chainId };
    const agent = await stage.grants.clientFor(workspaceId).workflow.start<typeof addressAgent>('addressAgent', {
      taskQueue,
      workflowId: uniqueName('agent'),
      args: [question],
    });
    expect(await failureOf(agent)).toMatchObject({
      type: 'CredentialRejected',
      message: `tenderly/default of ${workspaceId} refused the credential (HTTP 401)`,
    });
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });
});

describe('the search for secrets finds', () => {
  test.each(Object.entries(encodingsOf(PLANTED)))('a secret that is encoded %s', (_, encoded) => {
    expect(leaksIn(`{"before":"${encoded}","after":1}`, [PLANTED, 'canary/absent'])).toEqual([PLANTED]);
  });

  const run = (maximumAttempts: number): Promise<WorkflowHandle<typeof callActivity>> => {
    const options = { retry: { maximumAttempts, initialInterval: '1 hour' } };
    const args: [object] = [{ name: 'leak', options }];
    return stage.client.workflow.start('callActivity', { taskQueue, workflowId: uniqueName('leak'), args });
  };

  test("a secret in a failure's cause from an activity without our boundary", async () => {
    const agent = await run(1);
    await failureOf(agent);
    expect(await leaksOf(agent, [PLANTED])).toEqual([PLANTED]);
  });

  test.each([
    ['a secret in errors, heartbeats and results of an activity', 'leakPlanted', [PLANTED]],
    ['no secret there if it was opened in this process', 'leakOpened', []],
    ['a secret in values that show a search something else', 'hidePlanted', [PLANTED]],
    ['no secret there if it was opened in this process, in whatever form it is returned [G7]', 'hideOpened', []],
  ])('%s', async (_, name, found) => {
    const options = { retry: { maximumAttempts: 2, initialInterval: '3 seconds' }, heartbeatTimeout: '1 minute' };
    const agent = await stage.client.workflow.start('callActivity', {
      taskQueue,
      workflowId: uniqueName('leak'),
      args: [{ name, options }],
    });
    await vi.waitFor(async () => expect(await pendingFailuresOf(agent)).toHaveLength(1), { timeout: 20_000 });
    expect(await leaksOf(agent, [PLANTED, OPENED])).toEqual(found);
    await agent.result();
    expect(await leaksOf(agent, [PLANTED, OPENED])).toEqual(found);
  });

  test('a secret in the last failure of an activity that is still retried', async () => {
    const agent = await run(2);
    await vi.waitFor(async () => expect(await pendingFailuresOf(agent)).toHaveLength(1), { timeout: 10_000 });
    expect(await leaksOf(agent, [PLANTED])).toEqual([PLANTED]);
    await agent.terminate();
  });
});

test("the SDK's logs contain no secret, even for failures [G6]", () => {
  const logged = stage.logged.map((entry) => inspect(entry, { depth: 12, maxStringLength: null })).join('\n');
  expect(logged).toContain('CredentialRejected');
  expect(leaksIn(logged, stage.secrets)).toEqual([]);
});
