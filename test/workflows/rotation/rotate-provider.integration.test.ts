/** Rotations end to end: real Temporal, Postgres and workers, with stand-ins that know which keys are valid. */

import proto from '@temporalio/proto';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { RotateInput, RotationHandle } from '../../../src/client/rotation-client.js';
import type { ProviderIdentity } from '../../../src/protocol/references.js';
import type { RotationStatus } from '../../../src/protocol/rotation.js';
import { openProviderStore } from '../../../src/store/provider-store.js';
import { eventsIn, summariesOf } from '../../integration/history.js';
import { newWorkspace } from '../../support/agent-stage.js';
import { holdCredential } from '../../support/hold-credential.js';
import { uniqueName } from '../../support/parts.js';
import { useRotationStage } from '../../support/rotation-stage.js';

/** For half a minute, its service cannot tell whether the key works. It runs while the other tests run. */
let cannotTell: { provider: ProviderIdentity; older: string; handle: RotationHandle };
const stage = useRotationStage();

beforeAll(async () => {
  const { provider, apiKey: older } = await stage.addAnthropic(newWorkspace());
  const apiKey = stage.admittedKey(provider.workspaceId);
  stage.llm.failNext({ owner: provider.workspaceId, status: 503, times: 99 });
  cannotTell = { provider, older, handle: await stage.rotations.rotate({ ...provider, secret: { apiKey } }) };
});

/** A rotation whose check waits at the service. */
async function rotateHeld(provider: ProviderIdentity, more: Partial<RotateInput> = {}) {
  const apiKey = stage.admittedKey(provider.workspaceId);
  const hold = stage.llm.holdNext({ owner: provider.workspaceId });
  const handle = await stage.rotations.rotate({ ...provider, secret: { apiKey }, ...more });
  await hold.arrived;
  return { handle, apiKey, release: hold.release };
}

async function until(provider: ProviderIdentity, isSo: (status: RotationStatus) => unknown): Promise<RotationStatus> {
  return vi.waitFor(
    async () => {
      const status = await stage.rotations.status(provider);
      expect(isSo(status), JSON.stringify(status)).toBeTruthy();
      return status;
    },
    { timeout: 20_000 },
  );
}

const failed = (type: string, message = '') =>
  expect.objectContaining({ type, message: expect.stringContaining(message) });

describe('a rotation', () => {
  test('checks, activates, fences and drains, returns what it proved, and leaves no secret in rows or histories [G4]', async () => {
    const { provider } = await stage.addAnthropic(newWorkspace());
    await stage.served(provider);
    const apiKey = stage.admittedKey(provider.workspaceId);
    const handle = await stage.rotations.rotate({ ...provider, secret: { apiKey } });
    const result = await handle.result();
    expect(result).toMatchObject({
      state: 'drained',
      fromVersion: 1,
      toVersion: 2,
      check: { outcome: 'ok' },
      drain: { drained: true, holders: [] },
      revocation: { outcome: 'by-hand', detail: expect.stringContaining('platform.claude.com') },
    });
    expect(result.fence?.workers).toEqual([expect.objectContaining({ outcome: 'applied' })]);
    expect(await stage.served(provider)).toEqual({ version: 2, apiKey });
    expect(await stage.rotationRows(provider.workspaceId)).toMatchObject([
      { state: 'drained', ended: true, sealed: 0 },
    ]);
    expect(await stage.rotations.status(provider)).toEqual(result);
    expect(await stage.leaksOf(handle)).toEqual([]);
  });

  test('shows in the Temporal UI what each stage did, and a table of the workers', async () => {
    const { provider } = await stage.addAnthropic(newWorkspace());
    const { handle, release } = await rotateHeld(provider);
    expect(await stage.rotations.status(provider)).toMatchObject({ state: 'staged', fromVersion: 1 });
    release();
    await handle.result();
    const who = `llm/anthropic of ${provider.workspaceId}`;
    const { identity } = (await stage.manager.listWorkers())[0] as { identity: string };
    const summaries = summariesOf(await handle.fetchHistory());
    expect(summaries).toEqual(
      expect.arrayContaining([
        ...['begin', 'check the next credential', 'checked', 'activate the next credential'].map(
          (w) => `${w} · ${who}`,
        ),
        'wait until no worker serves the older version',
        ...['fenced', 'drained', 'revoke the older credential', 'end'].map((what) => `${what} · ${who}`),
        'wait until no step holds the older version',
      ]),
    );
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain(`**${who}**`);
    expect(currentDetails).toContain('version 1 → 2');
    expect(currentDetails).toMatch(
      new RegExp(`\\| worker \\| answer \\| after \\|\\n.*\\n\\| ${identity}\\s+\\| applied\\s+\\|`),
    );
  });
});

describe('a rotation changes nothing if', () => {
  test('the service refuses the next credential', async () => {
    const { provider, apiKey: older } = await stage.addAnthropic(newWorkspace());
    const handle = await stage.rotations.rotate({ ...provider, secret: { apiKey: stage.newKey('refused') } });
    await expect(handle.result()).rejects.toMatchObject({ cause: failed('CredentialRejected', 'the service rejects') });
    expect(await stage.served(provider)).toEqual({ version: 1, apiKey: older });
    expect(await stage.rotationRows(provider.workspaceId)).toEqual([
      {
        state: 'failed',
        ended: true,
        sealed: 0,
        reason: expect.stringContaining('the service rejects the next credential'),
      },
    ]);
    expect(await stage.rotations.status(provider)).toMatchObject({ state: 'failed', check: { outcome: 'rejected' } });
    expect(await stage.leaksOf(handle)).toEqual([]);
  });

  test('the provider is changed while the rotation is in progress', async () => {
    const { provider, apiKey: older } = await stage.addAnthropic(newWorkspace());
    const { handle, release } = await rotateHeld(provider);
    await stage.manager.updateProvider({ ...provider, config: { model: 'claude-other' } });
    release();
    await expect(handle.result()).rejects.toThrow();
    expect(await stage.rotationRows(provider.workspaceId)).toMatchObject([
      {
        state: 'failed',
        ended: true,
        sealed: 0,
        reason: expect.stringContaining('the provider has changed in the meantime'),
      },
    ]);
    await stage.manager.awaitFence();
    expect(await stage.served(provider)).toEqual({ version: 2, apiKey: older });
  });

  test('the next credential is the current one', async () => {
    const { provider, apiKey } = await stage.addAnthropic(newWorkspace());
    await expect(stage.rotations.rotate({ ...provider, secret: { apiKey } })).rejects.toEqual(
      failed('ProviderConfigInvalid'),
    );
    expect(await stage.rotationRows(provider.workspaceId)).toEqual([]);
  });

  test('another rotation is in progress, which continues undisturbed', async () => {
    const { provider } = await stage.addAnthropic(newWorkspace());
    const { handle, release, apiKey } = await rotateHeld(provider);
    const another = { apiKey: stage.admittedKey(provider.workspaceId) };
    await expect(stage.rotations.rotate({ ...provider, secret: another })).rejects.toEqual(
      failed('RotationInProgress'),
    );
    release();
    expect(await handle.result()).toMatchObject({ state: 'drained', toVersion: 2 });
    expect(await stage.served(provider)).toEqual({ version: 2, apiKey });
    expect(await stage.rotationRows(provider.workspaceId)).toHaveLength(1);
  });
});

test('a rotation with acceptUnchecked continues if the service cannot tell whether the key works', async () => {
  const { provider } = await stage.addAnthropic(newWorkspace());
  const apiKey = stage.admittedKey(provider.workspaceId);
  stage.llm.failNext({ owner: provider.workspaceId, status: 503 });
  const handle = await stage.rotations.rotate({ ...provider, secret: { apiKey }, acceptUnchecked: true });
  expect(await handle.result()).toMatchObject({ state: 'drained', check: { outcome: 'cannot-tell' } });
  expect(await stage.served(provider)).toEqual({ version: 2, apiKey });
});

test('a rotation whose workflow was terminated does not block the next one, and leaves no sealed secret', async () => {
  const { provider } = await stage.addAnthropic(newWorkspace());
  const { handle, release } = await rotateHeld(provider);
  await handle.terminate();
  release();
  const apiKey = stage.admittedKey(provider.workspaceId);
  const next = await stage.rotations.rotate({ ...provider, secret: { apiKey } });
  expect(await next.result()).toMatchObject({ state: 'drained', toVersion: 2 });
  expect(await stage.served(provider)).toEqual({ version: 2, apiKey });
  expect(await stage.rotationRows(provider.workspaceId)).toMatchObject([
    { state: 'failed', ended: true, sealed: 0 },
    { state: 'drained', ended: true, sealed: 0 },
  ]);
});

describe('rolling back', () => {
  test('restores the older credential during the overlap, as a new version', async () => {
    const { provider, apiKey: older } = await stage.addAnthropic(newWorkspace());
    const { handle, release, apiKey: newer } = await rotateHeld(provider, { overlap: '10m' });
    const early = stage.rotations.rollBack(provider, 'too early');
    await expect(early).rejects.toEqual(failed('RotationFailed', 'its rotation is staged'));
    release();
    await until(provider, ({ overlapUntil }) => overlapUntil);
    expect(await stage.served(provider)).toEqual({ version: 2, apiKey: newer });
    await expect(stage.rotations.rollBack(provider, '')).rejects.toEqual(failed('ProviderConfigInvalid', 'a reason'));
    const turned = stage.rotations.rollBack(provider, 'the newer one is not paid for');
    const again = stage.rotations.rollBack(provider, 'twice');
    const answers = await Promise.allSettled([turned, again]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await handle.result()).toMatchObject({
      state: 'rolled-back',
      rollingBack: true,
      fromVersion: 2,
      toVersion: 3,
      drain: { drained: true },
      revocation: { outcome: 'by-hand' },
    });
    expect(await stage.served(provider)).toEqual({ version: 3, apiKey: older });
    expect(await stage.rotationRows(provider.workspaceId)).toMatchObject([
      { state: 'rolled-back', ended: true, sealed: 0 },
    ]);
    const late = stage.rotations.rollBack(provider, 'too late');
    await expect(late).rejects.toEqual(failed('RotationFailed', 'no rotation'));
    expect(await stage.leaksOf(handle)).toEqual([]);
  });

  test('restores the older credential while a step still holds it', async () => {
    const { provider, apiKey: older } = await stage.addAnthropic(newWorkspace());
    const { resolver } = stage.worker.providers;
    const reference = await resolver.resolveLlmKey({ workspaceId: provider.workspaceId, provider: 'anthropic' });
    const endStep = await holdCredential(resolver, reference);
    const handle = await stage.rotations.rotate({
      ...provider,
      secret: { apiKey: stage.admittedKey(provider.workspaceId) },
    });
    await until(provider, ({ drain }) => drain?.drained === false);
    await stage.rotations.rollBack(provider, 'it costs too much');
    await endStep();
    expect(await handle.result()).toMatchObject({ state: 'rolled-back', toVersion: 3, drain: { drained: true } });
    expect(await stage.served(provider)).toEqual({ version: 3, apiKey: older });
  });

  test('is refused if the provider was changed since, and leaves it unchanged', async () => {
    const { provider } = await stage.addAnthropic(newWorkspace());
    const { handle, release, apiKey: newer } = await rotateHeld(provider, { overlap: '10m' });
    release();
    await until(provider, ({ overlapUntil }) => overlapUntil);
    await stage.manager.updateProvider({ ...provider, config: { model: 'claude-other' } });
    const rolledBack = stage.rotations.rollBack(provider, 'too late');
    await expect(rolledBack).rejects.toEqual(failed('RotationFailed', 'the provider has changed in the meantime'));
    await expect(handle.result()).rejects.toThrow();
    await stage.manager.awaitFence();
    expect(await stage.served(provider)).toEqual({ version: 3, apiKey: newer });
    expect(await stage.rotationRows(provider.workspaceId)).toMatchObject([
      { state: 'drained', ended: true, sealed: 0, reason: expect.stringContaining('may still be valid') },
    ]);
  });
});

test('an older credential that was configured again during the overlap is not revoked', async () => {
  const { provider, apiKey: older } = await stage.addAnthropic(newWorkspace());
  const { handle, release } = await rotateHeld(provider, { overlap: '3s' });
  release();
  await until(provider, ({ overlapUntil }) => overlapUntil);
  await stage.manager.updateProvider({ ...provider, secret: { apiKey: older } });
  expect(await handle.result()).toMatchObject({
    revocation: { outcome: 'by-hand', detail: expect.stringContaining('configured again') },
  });
});

test('the search for leaks finds a secret that is in a history', async () => {
  const { provider } = await stage.addAnthropic(newWorkspace());
  const { handle, release, apiKey } = await rotateHeld(provider, { overlap: '10m' });
  release();
  await until(provider, ({ overlapUntil }) => overlapUntil);
  await stage.rotations.rollBack(provider, `it was posted: ${apiKey}`);
  await handle.result();
  expect(await stage.leaksOf(handle)).not.toEqual([]);
});

// The two slowest tests run at the same time.
test.concurrent('a service that cannot tell whether the key works is asked again, and then the rotation ends without a change', async () => {
  const { provider, older, handle } = cannotTell;
  await expect(handle.result()).rejects.toMatchObject({
    cause: failed('RotationFailed', 'the service cannot tell whether the next credential works'),
  });
  const asked = stage.llm.calls().filter(({ owner }) => owner === provider.workspaceId);
  expect(asked).toHaveLength(5);
  expect(await stage.served(provider)).toEqual({ version: 1, apiKey: older });
  expect(await stage.rotationRows(provider.workspaceId)).toMatchObject([{ state: 'failed', ended: true, sealed: 0 }]);
  expect(await stage.leaksOf(handle)).toEqual([]);
});

test.concurrent('more workers than fit in one history are asked by child workflows, and silent workers are waited out', async () => {
  const { provider } = await stage.addAnthropic(newWorkspace());
  const leaseMs = 300;
  const store = openProviderStore({ databaseUrl: stage.database.resolverUrl });
  const fleet = Array.from({ length: 205 }, () => uniqueName('silent'));
  for (const workerId of fleet) {
    const queue = { taskQueue: `nobody/${workerId}`, identity: workerId, build: 'none' };
    await store.registerWorker({ workerId, ...queue, leaseMs, longestStepMs: 60_000 });
  }
  await store.close();
  const secret = { apiKey: stage.admittedKey(provider.workspaceId) };
  const handle = await stage.rotations.rotate({ ...provider, secret, drainLimit: '1ms' });
  const { fence, drain } = await handle.result();
  expect(fence?.workers.filter(({ outcome }) => outcome === 'waited-out')).toHaveLength(fleet.length);
  expect(fence?.tookMs).toBeGreaterThanOrEqual(leaseMs);
  expect(fence?.tookMs).toBeLessThan(10_000);
  // They may still be running a step: nothing proves that they are not.
  expect(drain).toMatchObject({ drained: false });
  expect(new Set(drain?.holders.map(({ workerId }) => workerId))).toEqual(new Set(fleet));
  const { EventType } = proto.temporal.api.enums.v1;
  const events = eventsIn(await handle.fetchHistory(), EventType as unknown as Record<number, string>);
  expect(events.filter((event) => event === 'CHILD_WORKFLOW_EXECUTION_STARTED').length).toBeGreaterThanOrEqual(2);
  expect(events.length).toBeLessThan(200);
});
