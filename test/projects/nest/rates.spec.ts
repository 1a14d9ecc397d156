import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { clientProvider, RatesModule, RatesService, workflowSteps } from './rates';

const client = { workflow: { getHandle: () => ({ query: async () => 1.5 }) } };

describe('RatesService', () => {
  it('asks the workflow', async () => {
    const app = await Test.createTestingModule({ providers: [clientProvider, RatesService] })
      .overrideProvider('CLIENT')
      .useValue(client)
      .compile();
    expect(await app.get(RatesService).latest()).toBe(1.5);
    expect(() => app.get(RatesService).countModels({} as never)).toThrow(/inside an activity of a worker/);
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
