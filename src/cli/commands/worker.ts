import type { Command } from 'commander';
import { takeEnvironment } from '../../config/process-hardening.js';
import { line, type Output } from '../terminal/output.js';

export function addWorker(program: Command, output: Output): void {
  program
    .command('worker')
    .summary("run a worker for the package's activities and for rotations")
    .description(
      "Runs a worker for the package's activities on PROVIDER_TASK_QUEUE. With PROVIDER_MANAGER_DATABASE_URL it also " +
        'runs rotations and schedules. It stops at SIGINT or SIGTERM, after its running steps have ended. Your own ' +
        'workflows run in your own worker. Settings: docs/configuration.md. With --json it prints one line when it ' +
        'is ready, and logs one JSON object per line to stderr.',
    )
    .action(async () => {
      // Temporal's native core is loaded only here: the other commands do not need it.
      const { workerConfigFromEnv, describeWorkerConfig } = await import('../../config/worker-config.js');
      const { providerNotes } = await import('../../config/resolver-config.js');
      const { createWorkerProcess } = await import('../../plugin/worker-process.js');
      const config = workerConfigFromEnv(takeEnvironment());
      const notes = providerNotes(config.providers);
      if (!output.json) for (const note of notes) output.note(`note: ${note}`);
      const worker = await createWorkerProcess(config, output.json ? { logsJson: true, notes } : {});
      const settings = describeWorkerConfig(config);
      const lines = Object.entries(settings).map(([name, value]) => `  ${name.padEnd(22)}${value}`);
      const ready = line('ok', 'ready', [`task queue ${config.taskQueue}`, `namespace ${config.namespace}`]);
      output.result({ event: 'ready', pid: process.pid, ...settings }, [ready, ...lines]);
      await worker.run();
    });
}
