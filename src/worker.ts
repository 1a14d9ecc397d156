/**
 * A ready worker process: config, preflight, dependencies, run, stop. People read stderr; stdout holds one line of
 * JSON, once it works: `{"event":"ready",…}`. Exit codes: `protocol/exit-codes.ts`.
 */
import { classify } from './cli/failure.js';
import { hardenProcess, takeEnvironment } from './cli/process-hardening.js';
import { providerNotes } from './temporal/provider-config.js';
import { describeWorkerConfig, workerConfigFromEnv } from './temporal/worker-config.js';
import { createWorkerProcess } from './temporal/worker-process.js';

hardenProcess();
try {
  const config = workerConfigFromEnv(takeEnvironment());
  for (const note of providerNotes(config.providers)) console.error(`note: ${note}`);
  const worker = await createWorkerProcess(config);
  console.log(JSON.stringify({ event: 'ready', pid: process.pid, ...describeWorkerConfig(config) }));
  await worker.run();
} catch (error) {
  const { failure, exitCode } = classify(error);
  console.error(`${failure.type}: ${failure.message}`);
  // Not left to Node: after a fault the SDK's threads may keep the process alive, polling nothing.
  process.exit(exitCode);
}
