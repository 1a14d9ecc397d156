/**
 * An operations worker as its own process, from `dist/`, whose rotations stop at given points. When one stops, the
 * worker sends a message and keeps heartbeating until it is killed. PARKING_WORKER holds its settings.
 */
import { Context } from '@temporalio/activity';
import { NativeConnection } from '@temporalio/worker';
import { EgressPolicy } from '../../../dist/egress/policy.js';
import { GrantVerifier } from '../../../dist/grants/grant-verifier.js';
import { createOperationsWorker } from '../../../dist/plugin/operations-worker.js';
import { ProviderTypes } from '../../../dist/providers/provider-types.js';
import { parseLocalKeyring } from '../../../dist/sealing/local-keyring.js';

const settings = JSON.parse(process.env.PARKING_WORKER);
const { store, encryptionKey, grantKeySet, temporalAddress, taskQueue, points } = settings;
const egress = new EgressPolicy({ networks: ['loopback'] });
const forever = new Promise(() => {});

async function execute(input, next) {
  const context = Context.current();
  const { activityType, workflowExecution } = context.info;
  const name = activityType === 'recordRotationStage' ? `record ${input.args[0].state}` : activityType;
  const { workflowId } = workflowExecution;
  const park = () => {
    process.send({ parked: workflowId });
    setInterval(() => context.heartbeat(), 500);
    return forever;
  };
  if (points[workflowId] === `before ${name}`) await park();
  const result = await next(input);
  if (points[workflowId] === `after ${name}`) await park();
  return result;
}

// The process must not outlive the test.
process.once('disconnect', () => process.exit());

const connection = await NativeConnection.connect({ address: temporalAddress });
const { worker } = await createOperationsWorker(
  {
    database: store,
    rootKeyring: parseLocalKeyring(encryptionKey),
    egress,
    types: ProviderTypes.builtIn,
    grants: new GrantVerifier(grantKeySet),
    taskQueue,
  },
  {
    connection,
    namespace: 'default',
    shutdownGraceMs: 0,
    interceptors: { activity: [() => ({ inbound: { execute } })] },
  },
);
await worker.run();
