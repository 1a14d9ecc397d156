/**
 * Grants in the headers of a real Temporal: which workflows are served, and which are refused before any query to
 * Postgres. The worker and the clients encrypt their payloads, as a careful deployment does.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, WithStartWorkflowOperation, type WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { GrantSigner, WorkspaceGrants } from '../../src/client.js';
import { parseSigningKey } from '../../src/grants/grant-keys.js';
import { providerDataConverter, WorkspaceProviders } from '../../src/index.js';
import { GRANT_HEADERS } from '../../src/protocol/grants.js';
import { interceptors } from '../../src/workflows/grant-interceptors.js';
import { newGrantKeys } from '../../testbed/grant-keys.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { withSession } from '../support/database.js';
import { TEST_ENCRYPTION_KEY } from '../support/fake-store.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { askName, chain, family, tellName, untilNamed, whose, whoseLocally, whoseOf } from './granted-workflows.js';
import { failureOf } from './history.js';

const NAMESPACE = 'default';
const [acme, globex] = [newWorkspace(), newWorkspace()];
const dataConverter = providerDataConverter(TEST_ENCRYPTION_KEY);
const taskQueue = uniqueName('granted');

const stage = useAgentStage();
let providers: WorkspaceProviders;
/** A client that starts workflows without a grant. */
let bare: Client;
let grants: WorkspaceGrants;
let stopWorker: () => Promise<void>;

beforeAll(async () => {
  await Promise.all([stage.addLlm(acme), stage.addLlm(globex)]);
  // Applies to new sessions from here on.
  await withSession(stage.database.ownerUrl, (session) =>
    session.query(`alter database ${new URL(stage.database.ownerUrl).pathname.slice(1)} set track_functions = 'pl'`),
  );
  bare = new Client({ connection: stage.client.connection, dataConverter });
  grants = new WorkspaceGrants(bare, new GrantSigner(stage.grantKeys.signingKey));
  stopWorker = await startWorker();
});

afterAll(() => stopWorker?.());

async function startWorker(): Promise<() => Promise<void>> {
  providers = await WorkspaceProviders.connect(stage.config());
  const native = await NativeConnection.connect({ address: temporalAddress() });
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('granted-workflows.ts', import.meta.url)),
    dataConverter,
    plugins: [providers.plugin()],
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
    await native.close();
    await providers.close();
  };
}

const reads = async () => {
  const counted = `select coalesce(sum(calls), 0) as calls from pg_stat_user_functions where funcname = 'read_workspace'`;
  const { rows } = await withSession(stage.database.ownerUrl, (session) => session.query(counted));
  return Number(rows[0].calls);
};

const newOptions = (workflowId = uniqueName('granted')) => ({ taskQueue, workflowId });

describe('a workflow is refused before any read of the database [G3]', () => {
  let refusals: readonly { readonly type?: string | null; readonly message: string }[];
  const NONE = 'this workflow has no workspace grant';
  const INVALID = 'the workspace grant of this workflow is not valid';
  const OTHER = 'the workspace grant of this workflow was signed for another workflow or namespace';
  const NAMED = 'the workflow names a workspace that its grant is not for: start it with a client of that workspace';

  /** A client that puts any value in place of a grant. */
  function showing(token: unknown): Client {
    const shown: Headers = { [GRANT_HEADERS.workspace]: defaultPayloadConverter.toPayload(token) };
    const show: WorkflowClientInterceptor = {
      startWithDetails: (input, next) => next({ ...input, headers: { ...input.headers, ...shown } }),
    };
    return new Client({ connection: stage.client.connection, dataConverter, interceptors: { workflow: [show] } });
  }

  async function copiedFrom(workflowId: string): Promise<string> {
    const { events } = await bare.workflow.getHandle(workflowId).fetchHistory();
    const { fields } = events?.[0]?.workflowExecutionStartedEventAttributes?.header ?? {};
    return defaultPayloadConverter.fromPayload(fields?.[GRANT_HEADERS.workspace] as never);
  }

  const ATTEMPTS: readonly [string, message: string, (workflowId: string) => Promise<[Client, claimed?: string]>][] = [
    ['without a grant', NONE, async () => [bare, acme]],
    ['with a grant that is not text', INVALID, async () => [showing({ sub: acme }), acme]],
    [
      'with a grant that is signed by a key unknown to the worker',
      INVALID,
      async () => {
        const { signingKey } = await newGrantKeys();
        return [new WorkspaceGrants(bare, new GrantSigner(signingKey)).clientFor(acme)];
      },
    ],
    [
      'with a forged grant that names a known key',
      INVALID,
      async () => {
        const { kid } = parseSigningKey(stage.grantKeys.signingKey);
        const forger = JSON.stringify({ ...JSON.parse((await newGrantKeys()).signingKey), kid });
        return [new WorkspaceGrants(bare, new GrantSigner(forger)).clientFor(acme)];
      },
    ],
    [
      "with a grant from another workflow's history",
      OTHER,
      async () => {
        const options = newOptions();
        await grants.clientFor(acme).workflow.start(whose, { ...options, taskQueue: uniqueName('nobody') });
        const token = await copiedFrom(options.workflowId);
        await bare.workflow.getHandle(options.workflowId).terminate();
        return [showing(token)];
      },
    ],
    ['that names another workspace, which exists', NAMED, async () => [grants.clientFor(acme), globex]],
    ['that names another workspace, which does not exist', NAMED, async () => [grants.clientFor(acme), newWorkspace()]],
    ["with an operator's grant", NONE, async () => [grants.operatorClient('ann'), acme]],
  ];

  beforeAll(async () => {
    const before = await reads();
    const failing = ATTEMPTS.map(async ([, , attempt]) => {
      const options = newOptions();
      const [client, claimed] = await attempt(options.workflowId);
      const args: [string?] = claimed === undefined ? [] : [claimed];
      await client.workflow.start(whose, { ...options, args });
      return failureOf(bare.workflow.getHandle(options.workflowId));
    });
    refusals = await Promise.all(failing);
    const client = grants.clientFor(acme);
    const reference = { type: 'llm', workspaceId: globex, name: 'anthropic', version: 1 } as never;
    const handed = await client.workflow.start(whoseOf, { ...newOptions(), args: [reference] });
    expect(await failureOf(handed), 'a reference of another workspace').toMatchObject({ message: NAMED });
    // A session adds its counts at the latest when it ends.
    await stopWorker();
    expect(await reads()).toBe(before);
    stopWorker = await startWorker();
  }, 120_000);

  test.each(ATTEMPTS.map(([what, text], index) => [what, text, index] as const))('%s', (_, text, index) => {
    const { type, message } = refusals[index] ?? {};
    expect({ type, message }).toEqual({ type: 'GrantInvalid', message: expect.stringContaining(text) });
  });

  test("with the reason in the worker's log: ids, and never the grant", () => {
    const refusals = stage.logged.filter(({ message }) => message.startsWith('a workspace grant was refused'));
    expect(refusals).toContainEqual(
      expect.objectContaining({
        level: 'WARN',
        message: expect.stringContaining('its key is not in PROVIDER_GRANT_KEYS'),
        meta: expect.objectContaining({ keyId: expect.any(String), workflowId: expect.any(String) }),
      }),
    );
    expect(refusals).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('signed for another workflow id') }),
    );
    expect(JSON.stringify(refusals.map(({ message, meta }) => [message, meta]))).not.toMatch(/eyJ/);
  });

  test('according to a counter that counts the reads of a served workflow', async () => {
    const before = await reads();
    await grants.clientFor(acme).workflow.execute(whose, newOptions());
    await stopWorker();
    expect(await reads()).toBe(before + 1);
    stopWorker = await startWorker();
  });
});

describe('the workspace of a grant is used by', () => {
  let workflow: Client['workflow'];
  let schedule: Client['schedule'];

  beforeAll(() => {
    ({ workflow, schedule } = grants.clientFor(acme));
  });

  test('a workflow, whether it names the workspace or not', async () => {
    expect(await workflow.execute(whose, newOptions())).toBe(acme);
    expect(await workflow.execute(whose, { ...newOptions(), args: [acme] })).toBe(acme);
  });

  test('a local activity', async () => {
    expect(await workflow.execute(whoseLocally, newOptions())).toBe(acme);
  });

  test('a workflow, its child and its grandchild, whose ids start with its own and receive signals [G3]', async () => {
    const options = newOptions();
    expect(await workflow.execute(family, { ...options, args: [2] })).toEqual(Array(5).fill(acme));
    const child = bare.workflow.getHandle(`${options.workflowId}/a-name-of-its-own`);
    expect((await child.describe()).status.name).toBe('COMPLETED');
  });

  test('a workflow that continues as new', async () => {
    expect(await workflow.execute(chain, { ...newOptions(), args: [2] })).toBe(acme);
  });

  test('a workflow that a signal starts', async () => {
    const started = await workflow.signalWithStart(untilNamed, {
      ...newOptions(),
      signal: tellName,
      signalArgs: ['a'],
    });
    expect(await started.result()).toBe(acme);
  });

  test('a workflow that an update starts', async () => {
    const startWorkflowOperation = new WithStartWorkflowOperation(untilNamed, {
      ...newOptions(),
      workflowIdConflictPolicy: 'FAIL',
    });
    expect(await workflow.executeUpdateWithStart(askName, { startWorkflowOperation })).toBe(acme);
  });

  test('the run of a schedule, even after the schedule was changed [G3]', async () => {
    const scheduleId = uniqueName('granted');
    const action = { type: 'startWorkflow', workflowType: whose, ...newOptions() } as const;
    const handle = await schedule.create({ scheduleId, spec: {}, action });
    const run = async (after: number) => {
      await handle.trigger();
      return vi.waitFor(
        async () => {
          const { recentActions } = (await handle.describe()).info;
          expect(recentActions).toHaveLength(after);
          const { workflow: started } = recentActions.at(-1)?.action ?? {};
          return bare.workflow.getHandle<typeof whose>(started?.workflowId ?? '').result();
        },
        { timeout: 30_000, interval: 100 },
      );
    };
    try {
      expect(await run(1)).toBe(acme);
      await handle.update(({ spec, policies, state }) => ({
        spec,
        policies,
        state,
        action: { ...action, args: [acme] },
      }));
      // Two runs within a second share a workflow id.
      await vi.waitUntil(() => Date.now() % 1_000 < 100, { interval: 20 });
      expect(await run(2)).toBe(acme);
    } finally {
      await handle.delete();
    }
  });

  test('a workflow that was reset to its beginning', async () => {
    const options = newOptions();
    const first = await workflow.start(whose, options);
    await first.result();
    const { events } = await first.fetchHistory();
    const firstTask = events?.find(({ workflowTaskCompletedEventAttributes: completed }) => completed);
    const reset: { runId?: string | null } = await bare.workflowService.resetWorkflowExecution({
      namespace: NAMESPACE,
      workflowExecution: { workflowId: options.workflowId, runId: first.firstExecutionRunId },
      workflowTaskFinishEventId: firstTask?.eventId,
      requestId: randomUUID(),
      reason: 'a test',
    });
    expect(await bare.workflow.getHandle<typeof whose>(options.workflowId, reset.runId ?? '').result()).toBe(acme);
  });
});

test('a worker with grants switched off warns at each start', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockReturnValue(undefined);
  await stage.connect();
  expect(warned.mock.calls).toEqual([[expect.stringContaining('the credentials of any workspace'), expect.anything()]]);
  warned.mockRestore();
});

test('a Nexus operation gets the grant as text in its headers [G3]', async () => {
  const { inbound = [], outbound = [] } = interceptors();
  const token = 'canary-token';
  const headers = {
    [GRANT_HEADERS.workspace]: defaultPayloadConverter.toPayload(token),
    other: defaultPayloadConverter.toPayload(1),
  };
  await inbound[0]?.execute?.({ args: [], headers } as never, async () => undefined);
  const next = vi.fn();
  void outbound[0]?.startNexusOperation?.({ headers: { own: 'a' } } as never, next);
  expect(next).toHaveBeenCalledWith({ headers: { own: 'a', [GRANT_HEADERS.workspace]: token } });
});
