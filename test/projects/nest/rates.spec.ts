import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { MockActivityEnvironment } from '@temporalio/testing';
import { testProviders } from 'workspace-providers/testing';
import { clientProvider, RatesModule, RatesService, workflowSteps } from './rates';

const client = { workflow: { getHandle: () => ({ query: async () => 1.5 }) } };

describe('RatesService', () => {
  it('asks the workflow', async () => {
    const app = await Test.createTestingModule({ providers: [clientProvider, RatesService] })
      .overrideProvider('CLIENT')
      .useValue(client)
      .compile();
    expect(await app.get(RatesService).latest()).toBe(1.5);
  });

  it('opens a provider of the test', async () => {
    const providers = testProviders({ ws_acme: { 'llm/anthropic': { apiKey: 'key-of-acme-for-tests' } } });
    const ref = await providers.resolver.resolveLlmKey({ workspaceId: 'ws_acme', provider: 'anthropic' });
    const environment = new MockActivityEnvironment({}, { interceptors: providers.interceptors('ws_acme') });
    const rates = new RatesService(client as never);
    expect(await environment.run((each) => rates.countModels(each), ref)).toBe('https://api.anthropic.com'.length);
  });
});

describe('RatesModule', () => {
  it('is assembled without its worker', async () => {
    const app = await Test.createTestingModule({ imports: [RatesModule] })
      .overrideProvider('CLIENT')
      .useValue(client)
      .overrideProvider('WORKER')
      .useValue(null)
      .compile();
    expect(await app.get(RatesService).latest()).toBe(1.5);
    expect(typeof workflowSteps.resolveLlmKey).toBe('function');
  });
});
