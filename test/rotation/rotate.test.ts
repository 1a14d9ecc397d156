/** Rotations end to end: real Temporal, real Postgres, real workers, and services that know which keys are good. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProviderIdentity } from '../../src/protocol/identity.js';
import { newWorkspace } from '../support/agent-stage.js';
import { RotationStage } from './rotation-stage.js';

let stage: RotationStage;

beforeAll(async () => {
  stage = await RotationStage.set();
});
afterAll(() => stage?.strike());

const anthropic = (workspaceId: string): ProviderIdentity => ({ workspaceId, type: 'llm', name: 'anthropic' });

describe('a rotation', () => {
  test('checks, activates, fences and drains, and says what it proved', async () => {
    const workspaceId = newWorkspace();
    await stage.agents.addLlm(workspaceId);
    const { providers } = stage.worker;
    await providers.resolver.resolveLlmKey(workspaceId, 'anthropic');
    const apiKey = stage.admittedKey(workspaceId);
    const handle = await stage.rotate({ provider: anthropic(workspaceId), secret: { apiKey } });
    const result = await handle.result();
    expect(result).toMatchObject({
      state: 'drained',
      fromVersion: 1,
      toVersion: 2,
      check: { outcome: 'ok' },
      drain: { drained: true, holders: [] },
      revocation: { outcome: 'operator', detail: expect.stringContaining('platform.claude.com') },
    });
    expect(result.fence?.workers).toEqual([expect.objectContaining({ outcome: 'applied' })]);
    const opened = await providers.resolver.open(await providers.resolver.resolveLlmKey(workspaceId, 'anthropic'));
    expect(opened.use.version).toBe(2);
    expect((opened.credential as { apiKey: { reveal(): string } }).apiKey.reveal()).toBe(apiKey);
    expect(await stage.leaksOf(handle)).toEqual([]);
  });
});
