/**
 * What a warm resolve costs a workflow, beside an activity that takes, does and returns nothing, and one that takes and
 * returns what a resolve does: in the same worker, as regular activities (started eagerly where the server allows it)
 * and as local ones. A sample is a workflow of many in
 * sequence, less a workflow of none, divided by their number.
 */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { GrantSigner, WorkspaceGrants } from '../dist/client.js';
import { startTemporal } from '../dist/dev/temporal.js';
import { generateGrantKey } from '../dist/grants/grant-keys.js';
import { GrantVerifier, WorkspaceProviders } from '../dist/index.js';
import { LEASE_MS } from './peers.js';
import { inRounds } from './rounds.js';

const TASK_QUEUE = 'bench';
const REGULAR_FLOOR = 'floor: an activity that does nothing';
const LOCAL_FLOOR = 'floor: the same, as a local activity';
const AIM = 1.15;

/**
 * @param {{ rounds: number, servers: readonly { raisedPollLimit: boolean, count: number, localCount: number }[] }} settings
 * @param {import('./database.js').BenchDatabase} database
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchActivity({ rounds, servers }, { resolverUrl, rootKeyring, workspaceIds: [workspaceId] }) {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const store = { databaseUrl: resolverUrl };
  const { signingKey, publicKey } = await generateGrantKey();
  const grants = new GrantVerifier(JSON.stringify({ keys: [publicKey] }));
  const signer = new GrantSigner(JSON.stringify(signingKey));
  const providers = await WorkspaceProviders.connect({ store, rootKeyring, grants, leaseMs: LEASE_MS });
  try {
    /** @type {import('./report.js').Part[]} */
    const parts = [];
    for (const { raisedPollLimit, count, localCount } of servers) {
      const results = await onServer(raisedPollLimit, signer, providers, workspaceId, async (execute) => {
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
  } finally {
    await providers.close();
  }
}

async function onServer(raisedPollLimit, signer, providers, workspaceId, work) {
  const server = await startTemporal({ raisedPollLimit });
  const { address, namespace } = server;
  const workerConnection = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const reference = await providers.resolver.resolveLlmKey({ workspaceId: workspaceId, provider: 'anthropic' });
  try {
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
