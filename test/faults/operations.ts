/** The worker of rotations, as a process of its own: killed and started again while rotations run in it. */
import { setTimeout as delay } from 'node:timers/promises';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { parseLocalKeyring } from '../../src/client.js';
import { createOperationsWorker } from '../../src/temporal/operations.js';
import type { FromReader, OperationsSettings } from './messages.js';
import { untilItWorks } from './parts/patience.js';

const { databaseUrl, encryptionKey, temporalAddress } = JSON.parse(
  process.env.FAULT_PROCESS ?? '',
) as OperationsSettings;
const send = (message: FromReader) => void (process.connected && process.send?.(message));

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', () => process.exit());
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { forward: {}, filter: 'OFF' } },
  shutdownSignals: [],
});

for (let isFirst = true; ; isFirst = false) {
  const connection = await untilItWorks(() => NativeConnection.connect({ address: temporalAddress }));
  try {
    const { worker, close } = await createOperationsWorker(
      { store: { databaseUrl }, rootKeyring: parseLocalKeyring(encryptionKey) },
      { connection, namespace: 'default', shutdownGraceMs: 0 },
    );
    if (isFirst) send({ is: 'ready' });
    await worker.run().finally(close);
  } catch (error) {
    send({ is: 'worker-failed', message: String(error) });
    await delay(200);
  } finally {
    await connection.close().catch(() => {});
  }
}
