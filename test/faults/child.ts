/** What the processes of a fault run share: they get settings from their parent, and end with it. */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { FromReader } from './messages.js';

/** Must be called first: if the parent has ended in the meantime, it ends this process. */
export function beginAsChild<Settings>(): Settings {
  const end = () => process.kill(process.pid, 'SIGKILL');
  process.on('disconnect', end);
  if (!process.connected) end();
  // Server outages are expected in a fault run.
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'OFF' } },
    shutdownSignals: [],
  });
  return JSON.parse(process.env.FAULT_PROCESS ?? '') as Settings;
}

export function tellParent(message: FromReader): void {
  if (process.connected) process.send?.(message);
}
