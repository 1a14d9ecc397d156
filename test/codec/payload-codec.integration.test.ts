/** Encrypted payloads on a real Temporal: every way that it sends them, and payloads that somebody put elsewhere. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection, ScheduleOverlapPolicy, type WorkflowHandle } from '@temporalio/client';
import { type DataConverter, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { providerDataConverter } from '../../src/client.js';
import { redactingDataConverter } from '../../src/plugin/redacting-codec.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { activities } from './encrypted-activities.js';
import { change, everyWay, listener, read, scheduled, tell } from './encrypted-workflows.js';

const TEXT = 'canary-in-every-payload';
const key = `test:${randomBytes(32).toString('base64')}`;
const encrypting = providerDataConverter(key);

let connection: Connection;
let native: NativeConnection;
beforeAll(async () => {
  connection = await Connection.connect({ address: temporalAddress() });
  native = await NativeConnection.connect({ address: temporalAddress() });
});
afterAll(async () => {
  await connection?.close();
  await native?.close();
});

const clientOf = (dataConverter?: DataConverter) => new Client({ connection, ...(dataConverter && { dataConverter }) });

/** Runs a worker as the plugin configures it, until it is stopped or the test ends. */
async function runWorker(dataConverter?: DataConverter, taskQueue = uniqueName('codec')) {
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    activities,
    workflowsPath: fileURLToPath(new URL('encrypted-workflows.ts', import.meta.url)),
    dataConverter: redactingDataConverter(dataConverter),
    // Each task is a replay: what the SDK remembers of earlier ones must not matter.
    maxCachedWorkflows: 0,
  });
  const running = worker.run();
  const stop = async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  };
  onTestFinished(stop);
  return { taskQueue, stop };
}

describe('encrypted payloads', () => {
  test('go every way of a workflow, and back to the client that started it [G9]', async () => {
    const { taskQueue } = await runWorker(encrypting);
    const { workflow } = clientOf(encrypting);
    const options = { taskQueue, workflowId: uniqueName('every-way'), memo: { text: TEXT } };
    const handle = await workflow.start(everyWay, { ...options, args: [TEXT] });
    expect(await handle.result()).toEqual(Array(8).fill(TEXT));
    expect((await handle.describe()).memo).toEqual({ text: TEXT });
  });

  test('go into a signal, a query and an update, also of a workflow that they start [G9]', async () => {
    const { taskQueue } = await runWorker(encrypting);
    const { workflow } = clientOf(encrypting);
    const options = { taskQueue, workflowId: uniqueName('told'), args: [TEXT] as [string] };
    const handle = await workflow.start(listener, options);
    expect(await handle.query(read, 'asked')).toBe(`asked ${TEXT}`);
    expect(await handle.executeUpdate(change, { args: [TEXT] })).toBe(TEXT);
    await handle.signal(tell, TEXT);
    expect(await handle.result()).toBe(TEXT);
    const again = { ...options, workflowId: uniqueName('told'), signal: tell, signalArgs: [TEXT] as [string] };
    expect(await (await workflow.signalWithStart(listener, again)).result()).toBe(TEXT);
  });

  test('go into the runs of a schedule, and the result of one into the next [G9]', async () => {
    const { taskQueue } = await runWorker(encrypting);
    const client = clientOf(encrypting);
    const schedule = await client.schedule.create({
      scheduleId: uniqueName('scheduled'),
      spec: {},
      action: { type: 'startWorkflow', workflowType: scheduled, taskQueue, args: [TEXT], memo: { text: TEXT } },
    });
    onTestFinished(() => schedule.delete());
    const results: unknown[] = [];
    for (const count of [1, 2]) {
      await schedule.trigger(ScheduleOverlapPolicy.SKIP);
      await vi.waitFor(
        async () => {
          const { info, action } = await schedule.describe();
          expect(action.args).toEqual([TEXT]);
          expect(info.recentActions).toHaveLength(count);
        },
        { timeout: 20_000, interval: 100 },
      );
      const { info } = await schedule.describe();
      const started = info.recentActions.at(-1)?.action;
      const handle = client.workflow.getHandle(String(started?.workflow.workflowId));
      results.push(await handle.result());
      expect((await handle.describe()).memo).toEqual({ text: TEXT });
      // The schedule learns the result a moment later.
      await vi.waitFor(async () => expect((await schedule.describe()).info.runningActions).toEqual([]), 20_000);
    }
    expect(results).toEqual([`${TEXT} first`, `${TEXT} ${TEXT} first`]);
  });
});

/** A codec between a client and its server: somebody who can start workflows, and has no key. */
function sending(payload: Payload): DataConverter {
  const codec = { encode: async () => [payload], decode: async (payloads: Payload[]) => payloads };
  return { payloadCodecs: [codec] };
}

/** The message with which the first task of a workflow fails, which a worker with the key has encrypted. */
async function refusalOf(handle: WorkflowHandle): Promise<string> {
  const failure = await vi.waitFor(
    async () => {
      const { events } = await handle.fetchHistory();
      const found = events?.find(({ workflowTaskFailedEventAttributes: failed }) => failed);
      expect(found).toBeDefined();
      return found?.workflowTaskFailedEventAttributes?.failure;
    },
    { timeout: 20_000, interval: 100 },
  );
  if (!failure?.encodedAttributes) return String(failure?.message);
  const [decoded] = (await encrypting.payloadCodecs?.[0]?.decode([failure.encodedAttributes])) ?? [];
  return defaultPayloadConverter.fromPayload<{ message: string }>(decoded as Payload).message;
}

describe('a payload is refused, with its cause in the history, and the workflow waits for a remedy', () => {
  test('if it was copied from the history of another workflow [G9]', async () => {
    const { taskQueue } = await runWorker(encrypting);
    const victim = await clientOf(encrypting).workflow.start(scheduled, {
      ...{ taskQueue, workflowId: uniqueName('ws_b'), args: [TEXT] },
    });
    expect(await victim.result()).toBe(`${TEXT} first`);
    const [started] = (await victim.fetchHistory()).events ?? [];
    const [copied] = started?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const thief = await clientOf(sending(copied as Payload)).workflow.start(scheduled, {
      ...{ taskQueue, workflowId: uniqueName('ws_a'), args: ['mine'] },
    });
    onTestFinished(async () => void (await thief.terminate()));
    expect(await refusalOf(thief)).toMatch(/encrypted for another workflow or namespace: it was copied from there/);
  });

  test('if a client without the key sent it, until a worker accepts plaintext [G9]', async () => {
    const { taskQueue, stop } = await runWorker(encrypting);
    const handle = await clientOf().workflow.start(scheduled, {
      ...{ taskQueue, workflowId: uniqueName('plain'), args: [TEXT] },
    });
    expect(await refusalOf(handle)).toMatch(/^PROVIDER_PAYLOADS_ACCEPTED does not have plaintext/);
    await stop();
    await runWorker(providerDataConverter(key, { accept: ['plaintext'] }), taskQueue);
    expect(await clientOf(encrypting).workflow.getHandle(handle.workflowId).result()).toBe(`${TEXT} first`);
  });

  test('if a worker without the key takes the task, until one with the key takes it [G9]', async () => {
    const { taskQueue, stop } = await runWorker();
    const handle = await clientOf(encrypting).workflow.start(scheduled, {
      ...{ taskQueue, workflowId: uniqueName('keyless'), args: [TEXT] },
    });
    expect(await refusalOf(handle)).toMatch(/^PROVIDER_PAYLOAD_KEY is not set in this process/);
    await stop();
    await runWorker(encrypting, taskQueue);
    expect(await handle.result()).toBe(`${TEXT} first`);
  });
});
