import type { Command } from 'commander';
import { takeEnvironment } from '../../config/process-hardening.js';
import { line, type Output } from '../terminal/output.js';

export function addWorker(program: Command, output: Output): void {
  program
    .command('worker')
    .summary("run a worker of the package's activities, and of rotations")
    .description(
      "Runs a worker of the package's activities on PROVIDER_TASK_QUEUE and, with PROVIDER_MANAGER_DATABASE_URL, of " +
        'rotations and schedules, until it is told to stop (SIGINT, SIGTERM); then it lets running steps end. Your own ' +
        'workflows run in your own worker. Settings: docs/configuration.md. With --json it prints one line when it is ready.',
    )
    .action(async () => {
      // Temporal's native core: the other commands neither need it nor wait for it.
      const { workerConfigFromEnv, describeWorkerConfig } = await import('../../config/worker-config.js');
      const { providerNotes } = await import('../../config/resolver-config.js');
      const { createWorkerProcess } = await import('../../plugin/worker-process.js');
      const config = workerConfigFromEnv(takeEnvironment());
      for (const note of providerNotes(config.providers)) output.note(`note: ${note}`);
      const worker = await createWorkerProcess(config);
      const settings = describeWorkerConfig(config);
      const lines = Object.entries(settings).map(([name, value]) => `  ${name.padEnd(22)}${value}`);
      const ready = line('ok', 'ready', [`task queue ${config.taskQueue}`, `namespace ${config.namespace}`]);
      output.result({ event: 'ready', pid: process.pid, ...settings }, [ready, ...lines]);
      await worker.run();
    });
}
