/** What resolve activities return to a workflow, and what they do while the root-key service is unavailable. */

import { beforeAll, expect, test } from 'vitest';
import { ProviderError, type WorkspaceProviders } from '../../src/index.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { inActivity } from './in-activity.js';

const stage = useAgentStage({ chain: true });
let providers: WorkspaceProviders;

beforeAll(async () => {
  providers = await stage.connect();
});

test('a reference holds only names and facts that may be shown, and the three resolves share one read of the workspace', async () => {
  const workspaceId = newWorkspace();
  const keys = [
    await stage.addLlm(workspaceId),
    await stage.addTenderly(workspaceId),
    await stage.addEndpoint(workspaceId, 'main'),
  ];
  const { resolveLlmKey, resolveTenderlyConfig, resolveRpcEndpoint } = providers.activities;
  const { chainId, gateway, tenderly } = stage.chain;
  const before = providers.resolver.parts.cache.counts.load;
  const own = { workspaceId, version: 1, source: 'workspace' };
  const references = [
    await inActivity().run(resolveLlmKey, { workspaceId, provider: ['openai', 'anthropic'] }),
    await inActivity().run(resolveTenderlyConfig, { workspaceId }),
    await inActivity().run(resolveRpcEndpoint, { workspaceId, chainId }),
  ];
  const lastFour = keys.map((key) => `…${key.slice(-4)}`);
  const hostOf = (url: string) => new URL(url).host;
  expect(references).toEqual([
    {
      ...own,
      type: 'llm',
      name: 'anthropic',
      cache: 'miss',
      shown: { key: lastFour[0], host: hostOf(stage.llm.url), model: 'claude-sonnet-5-5' },
    },
    {
      ...own,
      type: 'tenderly',
      name: 'default',
      cache: 'hit',
      shown: expect.objectContaining({ account: workspaceId, project: 'agents', key: lastFour[1] }),
    },
    {
      workspaceId,
      type: 'rpc',
      chainId,
      endpoints: [
        {
          ...own,
          type: 'rpc',
          name: 'main',
          cache: 'hit',
          shown: { chainId, priority: 100, key: lastFour[2], host: hostOf(gateway.url) },
        },
      ],
    },
  ]);
  expect(providers.resolver.parts.cache.counts.load - before).toBe(1);
  expect(tenderly.calls()).toEqual([]);
  for (const key of keys) expect(JSON.stringify(references)).not.toContain(key);
});

test('while the root-key service is unavailable, cached workspaces are served and others fail with a retryable error', async () => {
  const [cold, warm] = [newWorkspace(), newWorkspace()];
  await stage.addLlm(cold);
  await stage.addLlm(warm);
  const rootKeyring = parseLocalKeyring(stage.encryptionKey);
  let isAway = false;
  const throughTheService: typeof rootKeyring = {
    activeKeyId: rootKeyring.activeKeyId,
    preflight: async () => {},
    wrap: (...args) => rootKeyring.wrap(...args),
    unwrap: async (...args) => {
      if (isAway) throw new ProviderError('KeyServiceUnavailable', 'the root-key service does not answer');
      return rootKeyring.unwrap(...args);
    },
  };
  const { activities } = await stage.connect({ rootKeys: throughTheService });
  const resolve = (workspaceId: string) =>
    inActivity().run(activities.resolveLlmKey, { workspaceId, provider: 'anthropic' });

  await resolve(warm);
  isAway = true;
  await expect(resolve(cold)).rejects.toMatchObject({ type: 'KeyServiceUnavailable', nonRetryable: false });
  expect(await resolve(warm)).toMatchObject({ cache: 'hit' });
  isAway = false;
  expect(await resolve(cold)).toMatchObject({ version: 1 });
});
