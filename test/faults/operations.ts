/** The worker of rotations as a separate process, which is killed and restarted while rotations run in it. */
import { setTimeout as delay } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import { GrantVerifier } from '../../src/grants/grant-verifier.js';
import { createOperationsWorker } from '../../src/plugin/operations-worker.js';
import { OPERATIONS_TASK_QUEUE } from '../../src/protocol/rotation.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { beginAsChild, tellParent } from './child.js';
import type { OperationsSettings } from './messages.js';
import { untilItWorks } from './parts/patience.js';

const {
  databaseUrl,
  encryptionKey,
  grantKeySet,
  temporalAddress,
  taskQueue = OPERATIONS_TASK_QUEUE,
} = beginAsChild<OperationsSettings>();
process.on('message', () => process.exit());

for (let isFirst = true; ; isFirst = false) {
  const connection = await untilItWorks(() => NativeConnection.connect({ address: temporalAddress }));
  try {
    const { worker, close } = await untilItWorks(() =>
      createOperationsWorker(
        {
          database: { databaseUrl },
          rootKeyring: parseLocalKeyring(encryptionKey),
          egress: LOOPBACK_POLICY,
          types: ProviderTypes.builtIn,
          grants: new GrantVerifier(grantKeySet),
          taskQueue,
        },
        { connection, namespace: 'default', shutdownGraceMs: 0 },
      ),
    );
    if (isFirst) tellParent({ is: 'ready' });
    await worker.run().finally(close);
  } catch (error) {
    tellParent({ is: 'worker-failed', message: String(error) });
    await delay(200);
  } finally {
    await connection.close().catch(() => {});
  }
}
