/** Rotations whose workflows are gone at each stage, and what the schedule `rotate-due` and operators find afterwards. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { RotationClient, type RotationHandle } from '../../../src/client/rotation-client.js';
import type { ProviderIdentity } from '../../../src/protocol/references.js';
import { ROTATION_STATUS, type RotationStatus, rotationWorkflowId } from '../../../src/protocol/rotation.js';
import type { RotateDueTotals } from '../../../src/protocol/schedules.js';
import { newWorkspace } from '../../support/agent-stage.js';
import { pastDue } from '../../support/due.js';
import { holdCredential } from '../../support/hold-credential.js';
import { uniqueName } from '../../support/parts.js';
import { rotateDueOnce } from '../../support/rotate-due.js';
import { useRotationStage } from '../../support/rotation-stage.js';
import { registerSilentWorker } from '../../support/silent-worker.js';
import { type OpenaiProjects, startOpenaiProjects } from './openai-projects.js';

const stage = useRotationStage();
let projects: OpenaiProjects;
beforeAll(async () => {
  const { llm, secrets } = stage;
  projects = await startOpenaiProjects({
    onMade: async (project, { key }) => {
      secrets.push(key);
      llm.admit({ provider: 'openai', key, owner: project });
    },
    onDeleted: ({ key }) => llm.revoke(key),
    forwardTo: llm.baseUrls.openai.sdk,
  });
});
afterAll(() => projects?.stop());

/** A provider whose service issues the next key: the schedule can rotate it whenever it is due. */
async function issuable(): Promise<ProviderIdentity> {
  const workspaceId = newWorkspace();
  const baseURL = projects.url;
  await stage.addLlm(workspaceId, 'openai', { config: { baseURL } });
  const admin = { workspaceId, type: 'llm-admin', name: 'openai' };
  const adminKey = stage.newKey('admin');
  await stage.manager.configureProvider(
    { ...admin, config: { project: workspaceId, baseURL }, secret: { adminKey } },
    { fence: false },
  );
  return { workspaceId, type: 'llm', name: 'openai' };
}

const rotate = (provider: ProviderIdentity, more: object = {}) => stage.rotations.rotate({ ...provider, ...more });

async function until(provider: ProviderIdentity, isSo: (status: RotationStatus) => unknown): Promise<void> {
  await vi.waitFor(
    async () => {
      const status = await stage.rotations.status(provider);
      expect(isSo(status), JSON.stringify(status)).toBeTruthy();
    },
    { timeout: 30_000 },
  );
}

async function rotateDue(provider: ProviderIdentity): Promise<RotateDueTotals> {
  await stage.manager.setRotationInterval(provider, '30d');
  await pastDue(stage.database, provider);
  const totals = await rotateDueOnce(stage.operator, stage.taskQueue);
  // What is due no longer must not count in the next test.
  await stage.manager.setRotationInterval(provider);
  return totals;
}

/** Holds the credential that is served now, in a step that ends with the returned function. */
async function holdStep({ workspaceId, name }: ProviderIdentity): Promise<() => void> {
  const { resolver } = stage.worker.providers;
  const reference = await resolver.resolveLlmKey({ workspaceId, provider: name });
  return holdCredential(resolver, reference);
}

type Reached = { readonly handle: RotationHandle; readonly let?: () => void };

const STAGES: Record<string, (provider: ProviderIdentity) => Promise<Reached>> = {
  staged: async (provider) => {
    const hold = stage.llm.holdNext({ owner: provider.workspaceId });
    const handle = await rotate(provider);
    await hold.arrived;
    return { handle, let: hold.release };
  },
  fencing: async (provider) => {
    await registerSilentWorker(stage.database, 8_000);
    const handle = await rotate(provider);
    await until(provider, ({ state }) => state === 'activated');
    return { handle };
  },
  draining: async (provider) => {
    const end = await holdStep(provider);
    const handle = await rotate(provider);
    await until(provider, ({ drain }) => drain?.drained === false);
    return { handle, let: end };
  },
  overlapping: async (provider) => {
    const handle = await rotate(provider, { overlap: '10m' });
    await until(provider, ({ overlapUntil }) => overlapUntil);
    return { handle };
  },
  'rolling back': async (provider) => {
    const handle = await rotate(provider, { overlap: '10m' });
    await until(provider, ({ overlapUntil }) => overlapUntil);
    const end = await holdStep(provider);
    await stage.rotations.rollBack(provider, 'a test');
    await until(provider, ({ rollingBack, drain }) => rollingBack && drain?.drained === false);
    return { handle, let: end };
  },
};

describe.each(Object.entries(STAGES))('a rotation that is %s', (_stage, reach) => {
  test('and whose workflow is terminated is ended by rotate-due, which rotates the provider [G4]', async () => {
    const provider = await issuable();
    const { handle, let: goOn = () => {} } = await reach(provider);
    await handle.terminate();
    goOn();
    expect(await rotateDue(provider)).toMatchObject({ due: 1, rotated: 1, abandoned: 1 });
    expect(await stage.rotationRows(provider.workspaceId)).toEqual([
      expect.objectContaining({ ended: true, sealed: 0, reason: expect.stringContaining('its workflow ended before') }),
      // It revokes what an earlier rotation had issued.
      expect.objectContaining({ state: expect.stringMatching(/^(drained|revoked)$/), ended: true, sealed: 0 }),
    ]);
    const events = (await stage.manager.audit.listEvents(provider)).map(({ event }) => event);
    expect(events).toContain('rotation-abandoned');
    const served = await stage.manager.listProviders(provider.workspaceId);
    const { version } = await stage.served(provider);
    expect(served.find(({ type }) => type === 'llm')).toMatchObject({ version });
  });

  test('and is cancelled has a status, a reason and rows that are true', async () => {
    const provider = await issuable();
    const { handle, let: goOn = () => {} } = await reach(provider);
    await handle.cancel();
    goOn();
    await expect(handle.result()).rejects.toThrow();
    const status = await handle.query<RotationStatus, []>(ROTATION_STATUS);
    const { version } = await stage.served(provider);
    expect(status.toVersion ?? 1).toBe(version);
    expect(status.reason).toContain('the workflow was cancelled');
    if (status.toVersion !== undefined) {
      const left = status.rollingBack ? 'the newer credential may still' : 'the older credential may still';
      expect(status.reason).toContain(left);
    }
    const [row] = await stage.rotationRows(provider.workspaceId);
    expect(row).toMatchObject({ state: status.state, ended: true, sealed: 0, reason: status.reason });
  });
});

describe('a reset', () => {
  test('of an older, closed run ends the newer one: rotate-due ends both and rotates the provider', async () => {
    const provider = await issuable();
    const older = await rotate(provider, { overlap: '1s' });
    await older.result();
    const { runId } = await stage.client.workflow.getHandle(older.workflowId).describe();
    const newer = await rotate(provider, { overlap: '10m' });
    await until(provider, ({ overlapUntil }) => overlapUntil);
    const { runId: newerRun } = await newer.describe();
    const history = await stage.client.workflow.getHandle(older.workflowId, runId).fetchHistory();
    const timer = history.events?.findLast(({ timerStartedEventAttributes }) => timerStartedEventAttributes);
    const completed = timer?.timerStartedEventAttributes?.workflowTaskCompletedEventId;
    await stage.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: older.workflowId, runId },
      reason: 'a test',
      requestId: uniqueName('reset'),
      workflowTaskFinishEventId: completed,
    });
    await vi.waitFor(async () => {
      const newest = await stage.client.workflow.getHandle(newer.workflowId).describe();
      expect(newest.runId).not.toBe(newerRun);
    });
    expect(await rotateDue(provider)).toMatchObject({ due: 1, rotated: 1, abandoned: 1 });
    const rows = await stage.rotationRows(provider.workspaceId);
    expect(rows.map(({ ended, sealed }) => [ended, sealed])).toEqual(Array(3).fill([true, 0]));
  });
});

test('rotations that Temporal has lost are ended, also of providers that are never due', async () => {
  const { provider } = await stage.addAnthropic(newWorkspace());
  const apiKey = stage.admittedKey(provider.workspaceId);
  const handle = await rotate(provider, { secret: { apiKey }, overlap: '10m' });
  await until(provider, ({ overlapUntil }) => overlapUntil);
  await handle.terminate();
  await stage.client.workflowService.deleteWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.workflowId },
  });
  const other = await issuable();
  await vi.waitFor(
    async () => {
      const found = await handle.describe().catch(() => undefined);
      expect(found?.status.name).toBeUndefined();
    },
    { timeout: 90_000, interval: 500 },
  );
  expect(await rotateDue(other)).toMatchObject({ due: 1, rotated: 1, abandoned: 1 });
  expect(await stage.rotationRows(provider.workspaceId)).toMatchObject([{ ended: true, sealed: 0 }]);
}, 120_000);

describe('two operators at once', () => {
  test('one of them rotates the provider, and the other is told so', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { provider } = await stage.addAnthropic(newWorkspace());
      const clients = ['ann', 'ben'].map(
        (actor) => new RotationClient(stage.manager.actingAs(actor), stage.operator, stage.taskQueue),
      );
      const outcomes = await Promise.allSettled(
        clients.map((client) =>
          client.rotate({ ...provider, secret: { apiKey: stage.admittedKey(provider.workspaceId) } }),
        ),
      );
      const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      expect(refused).toEqual([expect.objectContaining({ type: 'RotationInProgress' })]);
      expect(await won[0]?.result()).toMatchObject({ state: 'drained', toVersion: 2 });
    }
  });

  test('an operator and rotate-due: the provider is rotated once', async () => {
    const provider = await issuable();
    const [byOperator, run] = await Promise.allSettled([rotate(provider), rotateDue(provider)]);
    const operator = byOperator.status === 'fulfilled' ? await byOperator.value.result() : byOperator.reason;
    expect(run.status).toBe('fulfilled');
    expect(operator).toMatchObject(
      byOperator.status === 'fulfilled' ? { state: 'drained' } : { type: 'RotationInProgress' },
    );
    await vi.waitFor(async () => {
      const rows = await stage.rotationRows(provider.workspaceId);
      expect(rows.every(({ ended, sealed }) => ended && sealed === 0)).toBe(true);
    });
  });
});

test('a workflow that is not a rotation and has its id is named, and rotate-due goes on with the others', async () => {
  const [provider, other] = [await issuable(), await issuable()];
  const workflowId = rotationWorkflowId(provider);
  const foreign = await stage.operator.workflow.start('somethingElse', { workflowId, taskQueue: uniqueName('none') });
  await expect(rotate(provider)).rejects.toMatchObject({
    type: 'RotationFailed',
    message: expect.stringContaining(`a workflow that is not a rotation runs under the id ${workflowId}`),
  });
  await stage.manager.setRotationInterval(provider, '30d');
  await pastDue(stage.database, provider);
  expect(await rotateDue(other)).toMatchObject({ due: 2, rotated: 1, failed: 1 });
  await foreign.terminate();
});
