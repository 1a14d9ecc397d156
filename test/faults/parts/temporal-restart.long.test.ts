/** A Temporal server that is killed loses nothing that it has accepted. */
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clearElsewhere, publicFolder } from '../../dev/elsewhere.js';
import { uniqueName } from '../../support/parts.js';
import { type RestartableTemporal, startRestartableTemporal } from './temporal-restart.js';

let temporal: RestartableTemporal;

beforeEach(async () => {
  temporal = await startRestartableTemporal(join(await publicFolder(), 'temporal.db'));
});

afterEach(async () => {
  await temporal?.stop();
  await clearElsewhere();
});

test('a started workflow still runs after a crash, at the same address, and receives signals', async () => {
  const { address, pid } = temporal;
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection });
  const [workflowId, taskQueue] = [uniqueName('survivor'), uniqueName('nobody')];
  const { firstExecutionRunId } = await workflow.start('survivor', { workflowId, taskQueue });
  await temporal.crash();
  await expect(Connection.connect({ address, connectTimeout: 1_000 })).rejects.toThrow();

  await temporal.restart();
  expect(temporal.address).toBe(address);
  expect(temporal.pid).not.toBe(pid);
  const survivor = workflow.getHandle(workflowId); // the connection made before: clients reconnect
  expect(await survivor.describe()).toMatchObject({ runId: firstExecutionRunId, status: { name: 'RUNNING' } });
  await survivor.signal('wake');
  await connection.close();
});
