/** How the steps of an agent are scheduled, read from the workflow's history. */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StepOptions } from '../../../src/workflow.js';
import { type Scheduled, scheduledIn, summariesOf } from '../../integration/history.js';
import { temporalAddress, uniqueName } from '../../support/parts.js';
import type { allSteps } from './all-steps.js';

type Step = 'resolveLlmKey' | 'resolveTenderlyConfig' | 'resolveRpcEndpoint' | 'llmStep' | 'tenderlyStep' | 'rpcStep';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const taskQueue = uniqueName('steps');
let connection: Connection;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  connection = await Connection.connect({ address: temporalAddress() });
  native = await NativeConnection.connect({ address: temporalAddress() });
  const done = async () => undefined;
  const resolves = { resolveLlmKey: done, resolveTenderlyConfig: done, resolveRpcEndpoint: done };
  worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('all-steps.ts', import.meta.url)),
    activities: { ...resolves, llmStep: done, tenderlyStep: done, rpcStep: done },
  });
  running = worker.run();
});

afterAll(async () => {
  worker?.shutdown();
  await running;
  await native?.close();
  await connection?.close();
});

async function run(options?: StepOptions) {
  const handle = await new Client({ connection }).workflow.start<typeof allSteps>('allSteps', {
    taskQueue,
    workflowId: uniqueName('all-steps'),
    args: [options],
  });
  await handle.result();
  const history = await handle.fetchHistory();
  return { summaries: summariesOf(history), scheduled: scheduledIn(history) as Record<Step, Scheduled> };
}

function timesOf(scheduled: Scheduled) {
  const { startToCloseTimeout, heartbeatTimeout, scheduleToCloseTimeout, retryPolicy } = scheduled;
  const { initialInterval, maximumInterval, backoffCoefficient, maximumAttempts } = retryPolicy ?? {};
  return {
    oneAttempt: inMs(startToCloseTimeout),
    heartbeat: inMs(heartbeatTimeout),
    all: inMs(scheduleToCloseTimeout),
    retry: [inMs(initialInterval), backoffCoefficient, inMs(maximumInterval), maximumAttempts || 'for ever'],
  };
}

/** Zero is how Temporal writes "none". */
function inMs(duration: Scheduled['heartbeatTimeout']): number | undefined {
  const ms = Number(duration?.seconds ?? 0) * SECOND + (duration?.nanos ?? 0) / 1_000_000;
  return ms || undefined;
}

describe('without options', () => {
  test('a resolve has a short timeout, and is retried through an outage of the store', async () => {
    const { scheduled } = await run();
    const { resolveLlmKey, resolveTenderlyConfig, resolveRpcEndpoint } = scheduled;
    for (const resolve of [resolveLlmKey, resolveTenderlyConfig, resolveRpcEndpoint]) {
      const { oneAttempt, heartbeat, retry } = timesOf(resolve);
      expect({ oneAttempt, heartbeat, retry }).toEqual({
        oneAttempt: 20 * SECOND,
        heartbeat: undefined,
        retry: [200, 2, 15 * SECOND, 'for ever'],
      });
    }
  });

  test('a model call may take minutes, a lost worker is noticed within seconds, and rate limits are retried', async () => {
    expect(timesOf((await run()).scheduled.llmStep)).toEqual({
      oneAttempt: 10 * MINUTE,
      heartbeat: 30 * SECOND,
      all: 2 * HOUR,
      retry: [SECOND, 2, MINUTE, 'for ever'],
    });
  });

  test('a simulation and a chain read have at most a minute per attempt', async () => {
    const { tenderlyStep, rpcStep } = (await run()).scheduled;
    for (const step of [tenderlyStep, rpcStep]) {
      expect(timesOf(step)).toEqual({
        oneAttempt: MINUTE,
        heartbeat: 15 * SECOND,
        all: HOUR,
        retry: [500, 2, 30 * SECOND, 'for ever'],
      });
    }
  });

  test('each step has a summary that names what it does and whose credential it uses', async () => {
    expect((await run()).summaries).toEqual([
      'resolve anthropic or openai for ws_acme',
      'resolve tenderly for ws_acme',
      'resolve chain 1 for ws_acme',
      'anthropic for ws_acme',
      "simulate on 1 · default for ws_acme · the platform's key",
      'eth_blockNumber on chain 1 for ws_acme',
    ]);
  });
});

test('options override only what they name, also within the retry policy', async () => {
  const retry = { maximumAttempts: 3 };
  const { scheduled, summaries } = await run({ startToCloseTimeout: '40 seconds', summary: 'in my own words', retry });
  expect(timesOf(scheduled.llmStep)).toEqual({
    oneAttempt: 40 * SECOND,
    heartbeat: 30 * SECOND,
    all: 2 * HOUR,
    retry: [SECOND, 2, MINUTE, 3],
  });
  expect(timesOf(scheduled.resolveLlmKey).retry).toEqual([200, 2, 15 * SECOND, 3]);
  expect(summaries).toEqual(Array(6).fill('in my own words'));
});
