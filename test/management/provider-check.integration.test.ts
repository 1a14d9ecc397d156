/** A check calls the live service with the stored key, and distinguishes a rejection from an outage. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uniqueName } from '../support/parts.js';
import { anthropicOf, CANARY, manageProviders, NEW_CANARY } from './management.js';
import { type ModelsService, startModelsService } from './models-service.js';

const management = manageProviders();
let service: ModelsService;

beforeAll(async () => {
  service = await startModelsService(CANARY);
});

afterAll(() => service?.stop());

describe('a check', () => {
  const compatible = async (apiKey: string, at = service) => {
    const identity = { workspaceId: uniqueName('ws'), type: 'llm', name: 'mine' };
    await management.client.configureProvider({ ...identity, config: { baseURL: at.baseURL }, secret: { apiKey } });
    return identity;
  };

  it.each([
    ['ok', CANARY],
    ['rejected', NEW_CANARY],
  ])('calls the live service with the stored key, and records the result: %s', async (outcome, apiKey) => {
    const identity = await compatible(apiKey);
    const report = await management.client.checkProvider(identity);
    expect(report).toMatchObject({ ...identity, version: 1, outcome });
    expect(service.callsWith(apiKey)).toBe(1);
    const [provider] = await management.client.listProviders(identity.workspaceId);
    expect(provider).toMatchObject({ version: 1, lastCheck: { outcome, at: expect.any(Date) } });
    expect(JSON.stringify(report)).not.toContain('canary');
  });

  it('returns cannot-tell if the service answers 503 or does not answer', async () => {
    const away = await startModelsService(CANARY);
    try {
      away.goAway();
      const identity = await compatible(CANARY, away);
      expect(await management.client.checkProvider(identity)).toMatchObject({ outcome: 'cannot-tell' });
    } finally {
      await away.stop();
    }
    const identity = await compatible(CANARY, away);
    expect(await management.client.checkProvider(identity)).toMatchObject({ outcome: 'cannot-tell' });
  });

  it('does not apply to a newer version', async () => {
    const identity = await compatible(CANARY);
    await management.client.checkProvider(identity);
    await management.client.updateProvider({ ...identity, secret: { apiKey: NEW_CANARY } });
    const [provider] = await management.client.listProviders(identity.workspaceId);
    expect(provider?.lastCheck).toBeUndefined();
  });

  it('fails for an endpoint of another chain, and replaces an earlier "ok"', async () => {
    let chainId = '0x1';
    const endpoint = createServer((_request, response) => {
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: chainId }));
    }).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    const secret = { url: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/${CANARY}` };
    const identity = { workspaceId: uniqueName('ws'), type: 'rpc', name: 'main' };
    try {
      await management.client.configureProvider({ ...identity, config: { chainId: 1 }, secret });
      expect(await management.client.checkProvider(identity)).toMatchObject({ outcome: 'ok' });
      chainId = '0x2';
      const checking = management.client.checkProvider(identity);
      await expect(checking).rejects.toMatchObject({
        type: 'ProviderConfigInvalid',
        facts: { fields: ['config.chainId'] },
      });
    } finally {
      endpoint.closeAllConnections();
      endpoint.close();
    }
    expect((await management.only(identity.workspaceId)).lastCheck?.outcome).toBe('cannot-tell');
  });

  it('fails with ProviderNotConfigured if there is no such provider', async () => {
    const checking = management.client.checkProvider(anthropicOf(uniqueName('ws')));
    await expect(checking).rejects.toMatchObject({ type: 'ProviderNotConfigured' });
  });
});
