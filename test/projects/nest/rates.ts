import { Inject, Injectable, Module } from '@nestjs/common';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { type ProviderReference, WorkspaceProviders, withProvider } from 'workspace-providers';
import { GrantSigner, WorkspaceGrants } from 'workspace-providers/client';
import { resolveLlmKey } from 'workspace-providers/workflow';

export const workflowSteps = { resolveLlmKey };

@Injectable()
export class RatesService {
  constructor(@Inject('CLIENT') private readonly client: Pick<Client, 'workflow'>) {}

  latest(): Promise<number> {
    return this.client.workflow.getHandle('rates').query('latest');
  }

  countModels(ref: ProviderReference<'llm'>): Promise<number> {
    return withProvider(ref, async ({ credential }) => credential.baseURL.length);
  }
}

export const clientProvider = {
  provide: 'CLIENT',
  useFactory: () => {
    const client = new Client({ connection: Connection.lazy({ address: process.env.TEMPORAL_ADDRESS }) });
    const signer = new GrantSigner(process.env.PROVIDER_GRANT_SIGNING_KEY ?? '');
    return new WorkspaceGrants(client, signer).clientFor(process.env.WORKSPACE ?? 'ws_acme');
  },
};

export const workerProvider = {
  provide: 'WORKER',
  inject: [RatesService],
  useFactory: async (rates: RatesService) => {
    const providers = await WorkspaceProviders.connect();
    const activities = { countModels: rates.countModels.bind(rates) };
    const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS });
    const workflowsPath = require.resolve('./workflows');
    const taskQueue = process.env.TASK_QUEUE ?? 'rates';
    return Worker.create({ connection, taskQueue, workflowsPath, activities, plugins: [providers.plugin()] });
  },
};

@Module({ providers: [clientProvider, RatesService, workerProvider] })
export class RatesModule {}
