/** Fifty providers that are due at once, some of which hang, beside a process that runs no worker. */
import { expect, test } from 'vitest';
import type { ProviderIdentity } from '../../../src/protocol/references.js';
import { newWorkspace } from '../../support/agent-stage.js';
import { pastDue } from '../../support/due.js';
import { rotateDueOnce } from '../../support/rotate-due.js';
import { useRotationStage } from '../../support/rotation-stage.js';

const DUE = 50;
const HANGING = 6;

const stage = useRotationStage();

test('fifty rotations that are due end in minutes, although six services hang and a process runs no worker', async () => {
  const providers: ProviderIdentity[] = [];
  for (let index = 0; index < DUE; index += 1) {
    // Those that hang come first.
    const workspaceId = `${index < HANGING ? 'ws_a' : 'ws_b'}${newWorkspace()}`;
    const { provider } = await stage.addAnthropic(workspaceId);
    await stage.manager.stageRotation({ ...provider, secret: { apiKey: stage.admittedKey(workspaceId) } });
    await stage.manager.setRotationInterval(provider, '30d');
    await pastDue(stage.database, provider);
    providers.push(provider);
  }
  const holds = providers
    .slice(0, HANGING)
    .flatMap(({ workspaceId }) => Array.from({ length: 12 }, () => stage.llm.holdNext({ owner: workspaceId })));
  const api = await stage.connect({ identity: 'api-1' });
  const [last] = providers.slice(-1);
  if (!last) throw new Error('unreachable');
  const reference = await api.resolver.resolveLlmKey({ workspaceId: last.workspaceId, provider: 'anthropic' });
  await api.resolver.withProvider(reference, async () => {});

  const startMs = performance.now();
  const totals = await rotateDueOnce(stage.operator, stage.taskQueue);
  const tookMs = performance.now() - startMs;
  console.info(`the run of ${DUE} due rotations took ${Math.round(tookMs / 1000)} s`);
  expect(totals).toMatchObject({ due: DUE, rotated: DUE - HANGING, underWay: HANGING, failed: 0 });
  expect(tookMs).toBeLessThan(180_000);
  for (const { release } of holds) release();
  await api.close();
}, 300_000);
