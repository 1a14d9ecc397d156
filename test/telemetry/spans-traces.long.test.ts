/**
 * The trace of an agent on one worker and of a rotation on another, with each of Temporal's two packages for
 * OpenTelemetry. They need a newer SDK than the oldest that is supported, so this test runs in the tier of one Node.
 */
import { trace } from '@opentelemetry/api';
import { Client } from '@temporalio/client';
import * as packageV1 from '@temporalio/interceptors-opentelemetry';
import * as packageV2 from '@temporalio/interceptors-opentelemetry-v2';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RotationClient } from '../../src/client/rotation-client.js';
import { WorkspaceGrants } from '../../src/client/workspace-grants.js';
import { GrantSigner } from '../../src/grants/grant-signer.js';
import { newWorkspace } from '../support/agent-stage.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { useRotationStage } from '../support/rotation-stage.js';
import { registerTelemetry, type Telemetry } from './recorded.js';

let telemetry: Telemetry;
beforeAll(() => {
  telemetry = registerTelemetry();
});
const stage = useRotationStage();
afterAll(() => telemetry.end());

/** A span of either version of the SDK. */
interface AnySpan {
  readonly name: string;
  readonly parentSpanId?: string;
  readonly parentSpanContext?: { readonly spanId: string };
  spanContext(): { readonly spanId: string; readonly traceId: string };
}

const parentOf = ({ parentSpanId, parentSpanContext }: AnySpan) => parentSpanId ?? parentSpanContext?.spanId;

describe.each([
  ['@temporalio/interceptors-opentelemetry', packageV1],
  ['@temporalio/interceptors-opentelemetry-v2', packageV2],
] as const)('with %s', (_, temporal) => {
  test('an agent and the rotation of its key are one tree of spans, over two workers', async () => {
    telemetry.spans.reset();
    const { provider } = await stage.addAnthropic(newWorkspace());
    const { workspaceId } = provider;
    const interceptors = { workflow: [new temporal.OpenTelemetryWorkflowClientInterceptor()] };
    const { connection } = stage.client;
    const grants = new WorkspaceGrants(
      new Client({ connection, interceptors }),
      new GrantSigner(stage.grantKeys.signingKey),
    );
    const rotations = new RotationClient(stage.manager, grants.operatorClient('a test'), stage.taskQueue);
    const taskQueue = uniqueName('traced');
    const worker = await tracedWorker(taskQueue, temporal);
    await worker.runUntil(
      trace.getTracer('a test').startActiveSpan('the request of a user', async (root) => {
        const apiKey = stage.admittedKey(workspaceId);
        const options = {
          taskQueue,
          workflowId: uniqueName('agent'),
          args: [{ workspaceId, prompt: `for ${workspaceId}` }],
        };
        await grants.clientFor(workspaceId).workflow.execute('askModel', options);
        await (await rotations.rotate({ ...provider, secret: { apiKey } })).result();
        root.end();
      }),
    );
    const all = telemetry.spans.getFinishedSpans() as unknown as readonly AnySpan[];
    const root = all.find(({ name }) => name === 'the request of a user') as AnySpan;
    const tree = all.filter((span) => span.spanContext().traceId === root.spanContext().traceId);
    const byId = new Map(tree.map((span) => [span.spanContext().spanId, span]));
    expect(tree.filter((span) => !byId.has(parentOf(span) ?? '')).map(({ name }) => name)).toEqual([root.name]);
    const names = tree.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        ...['StartWorkflow:askModel', 'RunWorkflow:askModel', 'RunActivity:llmStep'],
        ...['workspace_providers.resolve', 'workspace_providers.open', 'read_workspace'],
        ...['chat claude-sonnet-5-5', 'POST', 'StartWorkflow:rotateProvider'],
        ...['beginRotation', 'checkNextCredential', 'activateNextCredential', 'awaitFence', 'awaitDrain'].map(
          (each) => `workspace_providers.rotation ${each}`,
        ),
      ]),
    );
    const ancestors = (span: AnySpan | undefined): string[] =>
      span ? [span.name, ...ancestors(byId.get(parentOf(span) ?? ''))] : [];
    const request = tree.find(({ name }) => name === 'POST');
    expect(ancestors(request).slice(0, 4)).toEqual([
      ...['POST', 'chat claude-sonnet-5-5', 'workspace_providers.open', 'RunActivity:llmStep'],
    ]);
  });
});

/** A worker as a user makes it: their interceptors, and the plugin. */
async function tracedWorker(taskQueue: string, temporal: typeof packageV1 | typeof packageV2): Promise<Worker> {
  const providers = await stage.connect({ grants: 'required' });
  const resource = {} as never;
  const exporter = temporal.makeWorkflowExporter(telemetry.processor as never, resource);
  const workflowModules = [
    require.resolve(
      temporal === packageV1
        ? '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors'
        : '@temporalio/interceptors-opentelemetry-v2/lib/workflow-interceptors',
    ),
  ];
  return Worker.create({
    connection: await NativeConnection.connect({ address: temporalAddress() }),
    taskQueue,
    workflowsPath: require.resolve('../integration/workflows.ts'),
    sinks: { exporter: exporter as never } as never,
    interceptors: {
      workflowModules,
      activity: [(ctx) => ({ inbound: new temporal.OpenTelemetryActivityInboundInterceptor(ctx as never) as never })],
    },
    plugins: [providers.plugin()],
  });
}
