import { strict as assert } from 'node:assert';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, it } from 'mocha';
import { testProviders } from 'workspace-providers/testing';
import { createActivities } from './activities';

describe('the activities', () => {
  const { greet, countModels } = createActivities({ nameOf: async (workspace) => workspace });
  const providers = testProviders(
    { ws_acme: { 'llm/anthropic': { apiKey: 'key-of-acme-for-tests' } } },
    { service: () => Response.json({ data: ['one', 'two'] }) },
  );

  it('greet without a provider', async () => {
    assert.equal(await greet('acme'), 'Good morning, acme');
  });

  it('open a provider of the test', async () => {
    const ref = await providers.resolver.resolveLlmKey({ workspaceId: 'ws_acme', provider: 'anthropic' });
    const environment = new MockActivityEnvironment({}, { interceptors: providers.interceptors('ws_acme') });
    assert.equal(await environment.run(countModels, ref), 2);
  });
});
