/** What the processes of a fault run have in common: settings from whoever forked them, whose end is theirs. */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { FromReader } from './messages.js';

/** Called first: a parent that has ended meanwhile ends this process. */
export function beginAsChild<Settings>(): Settings {
  const end = () => process.kill(process.pid, 'SIGKILL');
  process.on('disconnect', end);
  if (!process.connected) end();
  // Servers go away and come back: that is what this is about.
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
