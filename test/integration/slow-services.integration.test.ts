/** Services that answer a byte a second do not hold a step: each type has a limit for the progress of an answer. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { WorkspaceProviders } from '../../src/index.js';
import { inActivity } from '../activities/in-activity.js';
import { FUNDED_ADDRESS, newWorkspace, UNFENCED, useAgentStage } from '../support/agent-stage.js';

const stage = useAgentStage({ chain: true });
let providers: WorkspaceProviders;
beforeAll(async () => {
  providers = await stage.connect();
});

/** The limit of both types, with room for a machine that is slow. */
const LONGEST_MS = 10_000 + 12_000;

async function dripping(): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 1_000);
    response.on('close', () => clearInterval(timer));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function took(run: Promise<unknown>): Promise<[result: unknown, ms: number]> {
  const startedMs = performance.now();
  const result = await run.catch((error: unknown) => error);
  return [result, performance.now() - startedMs];
}

test.concurrent('tenderlyStep ends, and is tried again', async () => {
  const workspaceId = newWorkspace();
  const config = { account: 'a', project: 'b', baseURL: await dripping() };
  const provider = { workspaceId, type: 'tenderly', name: 'default', config, secret: { accessKey: stage.newKey('t') } };
  await stage.manager.configureProvider(provider, UNFENCED);
  const ref = await providers.resolver.resolveTenderlyConfig({ workspaceId });
  const transaction = { from: FUNDED_ADDRESS, to: FUNDED_ADDRESS };
  const [failure, ms] = await took(
    inActivity().run(providers.activities.tenderlyStep, { ref, networkId: '1', transaction }),
  );
  expect(failure).toMatchObject({ type: 'ProviderUnavailable', message: expect.stringContaining('in time') });
  expect(ms).toBeLessThan(LONGEST_MS);
});

test.concurrent('rpcStep asks the next endpoint', async () => {
  const workspaceId = newWorkspace();
  await stage.addEndpoint(workspaceId, 'slow', { priority: 1, url: await dripping() });
  await stage.addEndpoint(workspaceId, 'backup', { priority: 2 });
  const ref = await providers.resolver.resolveRpcEndpoint({ workspaceId, chainId: stage.chain.chainId });
  const [result, ms] = await took(inActivity().run(providers.activities.rpcStep, { ref, method: 'eth_blockNumber' }));
  expect(result).toMatchObject({
    provider: { name: 'backup' },
    skipped: [{ name: 'slow', failure: 'ProviderUnavailable' }],
  });
  expect(ms).toBeLessThan(LONGEST_MS);
});
