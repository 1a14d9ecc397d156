/**
 * What a warm resolve costs a workflow, beside an activity that takes, does and returns nothing, and one that takes and
 * returns what a resolve does: in the same worker, as regular activities (started eagerly if the server allows it) and
 * as local ones. A sample is the time of a workflow with many activities in sequence, minus that of a workflow with no
 * activity, divided by the number of activities.
 */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { GrantSigner, WorkspaceGrants } from '../dist/client.js';
import { startTemporal } from '../dist/dev/temporal.js';
import { generateGrantKey } from '../dist/grants/grant-keys.js';
import { WorkspaceProviders } from '../dist/index.js';
import { inRounds } from './rounds.js';

const TASK_QUEUE = 'bench';
const REGULAR_FLOOR = 'floor: an activity that does nothing';
const LOCAL_FLOOR = 'floor: the same, as a local activity';
const AIM = 1.15;
const LEASE = '1h';

/**
 * @param {{ rounds: number, servers: readonly { raisedPollLimit: boolean, count: number, localCount: number }[] }}
 *   settings
 * @param {import('./database.js').BenchDatabase} database
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchActivity({ rounds, servers }, { resolverUrl, encryptionKey, workspaceIds: [workspaceId] }) {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const { signingKey, publicKey } = await generateGrantKey();
  const signer = new GrantSigner(JSON.stringify(signingKey));
  /** @type {import('../dist/index.js').ProviderOptions} */
  const options = {
    databaseUrl: resolverUrl,
    rootKeys: encryptionKey,
    grantKeys: JSON.stringify({ keys: [publicKey] }),
    lease: LEASE,
    env: {},
  };
  /** @type {import('./report.js').Part[]} */
  const parts = [];
  for (const { raisedPollLimit, count, localCount } of servers) {
    const results = await onServer(raisedPollLimit, signer, options, workspaceId, async (execute) => {
      const contender = (name, activity, compared = {}) => ({
        name,
        inSequence: activity.endsWith('Locally') ? localCount : count,
        run: (/** @type {number} */ times) =>
          execute({ activity, count: times, input: { workspaceId, provider: 'anthropic' } }),
        ...compared,
      });
      const contenders = [
        contender(REGULAR_FLOOR, 'nothing'),
        contender('one that hands over as much', 'handOver', { floor: REGULAR_FLOOR }),
        contender('ours: resolveLlmKey', 'resolve', { floor: REGULAR_FLOOR, aim: AIM }),
        contender(LOCAL_FLOOR, 'nothingLocally'),
        contender('one that hands over as much, local', 'handOverLocally', { floor: LOCAL_FLOOR }),
        contender('ours: as a local activity', 'resolveLocally', { floor: LOCAL_FLOOR, aim: AIM }),
      ];
      const warmUp = 5;
      for (const { run } of contenders) await run(warmUp);
      return inRounds(contenders, rounds, async ({ run, inSequence }) => {
        const none = await elapsedNs(() => run(0));
        const each = ((await elapsedNs(() => run(inSequence))) - none) / inSequence;
        return { samples: 1, min: each, p50: each, p99: each, max: each };
      });
    });
    const server = raisedPollLimit ? 'its poll limit raised' : 'as it comes';
    parts.push({
      title: `an activity, ${count} in sequence (${localCount} local ones), on a dev server ${server}`,
      unit: 'ms',
      results,
    });
  }
  return parts;
}

/** @param {import('../dist/index.js').ProviderOptions} options */
async function onServer(raisedPollLimit, signer, options, workspaceId, work) {
  const server = await startTemporal({ raisedPollLimit });
  const { address, namespace } = server;
  const workerConnection = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  // One for each server: they close when their worker ends.
  const providers = await WorkspaceProviders.connect(options);
  try {
    const reference = await providers.resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' });
    const worker = await Worker.create({
      connection: workerConnection,
      namespace,
      taskQueue: TASK_QUEUE,
      workflowsPath: fileURLToPath(new URL('sequence-workflow.js', import.meta.url)),
      activities: { nothing: async () => {}, handOver: async () => reference },
      plugins: [providers.plugin()],
    });
    const { workflow } = new WorkspaceGrants(new Client({ connection, namespace }), signer).clientFor(workspaceId);
    let started = 0;
    const execute = async (/** @type {object} */ input) => {
      started += 1;
      return workflow.execute('sequence', { taskQueue: TASK_QUEUE, workflowId: `bench-${started}`, args: [input] });
    };
    return await worker.runUntil(() => work(execute));
  } finally {
    await providers.close();
    await connection.close();
    await workerConnection.close();
    await server.stop();
  }
}

async function elapsedNs(work) {
  const startedAtMs = performance.now();
  await work();
  return (performance.now() - startedAtMs) * 1e6;
}
