import type { Command } from 'commander';
import { line, type Output } from '../output.js';
import { takeEnvironment } from '../process-hardening.js';

export function addWorker(program: Command, output: Output): void {
  program
    .command('worker')
    .summary("run a worker of this package's workflows and activities")
    .description(
      "Runs a worker of this package's own workflows and activities until it is told to stop (SIGINT, SIGTERM), then lets " +
        'running steps end. Settings: docs/configuration.md. With --json it prints a line once it works.',
    )
    .action(async () => {
      // Temporal's native core: the other commands neither need it nor wait for it.
      const { workerConfigFromEnv, describeWorkerConfig } = await import('../../temporal/worker-config.js');
      const { createWorkerProcess } = await import('../../temporal/worker-process.js');
      const { providerNotes } = await import('../../temporal/provider-config.js');
      const config = workerConfigFromEnv(takeEnvironment());
      for (const note of providerNotes(config.providers)) output.note(`note: ${note}`);
      const worker = await createWorkerProcess(config);
      const settings = describeWorkerConfig(config);
      const lines = Object.entries(settings).map(([name, value]) => `  ${name.padEnd(22)}${value}`);
      const ready = line('ok', 'working', [`task queue ${config.taskQueue}`, `namespace ${config.namespace}`]);
      output.result({ event: 'ready', pid: process.pid, ...settings }, [ready, ...lines]);
      await worker.run();
    });
}
