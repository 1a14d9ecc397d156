/**
 * Records histories of this version's rotations for `replay.integration.test.ts`. Run it by hand, once per release that
 * changes rotations:
 *
 *     npx vitest run --config test/replay/record.config.ts test/replay/record-rotations.ts
 */

import type { WorkflowHandle } from '@temporalio/client';
import { expect, test, vi } from 'vitest';
import type { Duration } from '../../src/config/duration.js';
import { newWorkspace } from '../support/agent-stage.js';
import { useRotationStage } from '../support/rotation-stage.js';
import { keepHistory } from './recorded-history.js';

const stage = useRotationStage();

const keep = (name: string, rotation: WorkflowHandle) => keepHistory(`rotation-${name}`, rotation, stage.secrets);

async function start({ isAdmitted = true, overlap = '0' as Duration } = {}) {
  const { provider } = await stage.addAnthropic(newWorkspace());
  const apiKey = isAdmitted ? stage.admittedKey(provider.workspaceId) : stage.newKey('refused');
  return { provider, rotation: await stage.rotations.rotate({ ...provider, secret: { apiKey }, overlap }) };
}

test('a rotation that completed', async () => {
  const { rotation } = await start();
  await rotation.result();
  await keep('completed', rotation);
});

test('a rotation whose next key was refused', async () => {
  const { rotation } = await start({ isAdmitted: false });
  await expect(rotation.result()).rejects.toThrow();
  await keep('refused', rotation);
});

test('a rotation in progress that is then rolled back', async () => {
  const { provider, rotation } = await start({ overlap: '10m' });
  await vi.waitFor(async () => expect((await stage.rotations.status(provider)).overlapUntil).toBeDefined(), 20_000);
  await keep('at-work', rotation);
  await stage.rotations.rollBack(provider, 'recorded');
  await rotation.result();
  await keep('rolled-back', rotation);
});
