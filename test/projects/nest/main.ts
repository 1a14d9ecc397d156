/** A server and a worker in one application. */
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import {
  Controller,
  Get,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Client } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { clientProvider, RatesService, workerProvider } from './rates';

@Controller()
class ModelsController {
  constructor(@Inject('CLIENT') private readonly client: Pick<Client, 'workflow'>) {}

  @Get('models')
  async models() {
    const options = { taskQueue: process.env.TASK_QUEUE ?? '', workflowId: `models-${process.pid}` };
    return { models: await this.client.workflow.execute<() => Promise<number>>('models', options) };
  }
}

@Module({ controllers: [ModelsController], providers: [clientProvider, RatesService, workerProvider] })
class AppModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private running?: Promise<void>;

  constructor(@Inject('WORKER') private readonly worker: Worker) {}

  onApplicationBootstrap() {
    this.running = this.worker.run();
  }

  async onApplicationShutdown() {
    if (this.worker.getState() === 'RUNNING') this.worker.shutdown();
    await this.running;
  }
}

async function main() {
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  console.log(`listening at http://127.0.0.1:${port}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
