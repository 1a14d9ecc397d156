import type { Command } from 'commander';
import { describeDuration } from '../../config/duration.js';
import type { RegisteredWorker } from '../../store/ports.js';
import { withClient } from '../connections.js';
import { line, type Output, table } from '../terminal/output.js';

export function addWorkers(program: Command, output: Output): void {
  program
    .command('workers')
    .summary('list the workers that serve credentials, and how current each is')
    .description(
      'Lists the worker processes that hold leases, and those that vanished recently. Shows how many changes each ' +
        'still has to apply, its lease (how long a change waits if it does not answer), when it was last heard from, ' +
        'and the revision of the key set of grants that it uses.',
    )
    .action(async () => {
      const { epoch, workers } = await withClient(async (client) => {
        // The epoch is read first: a worker may be ahead of it, but is not shown as behind one it could not know.
        const newest = await client.readEpoch();
        return { epoch: newest, workers: await client.listWorkers() };
      });
      const none = line('unsure', 'empty', ['no worker is running']);
      const lines = workers.length > 0 ? table(workers.map((worker) => toRow(worker, epoch))) : [none];
      output.result({ epoch, workers }, lines);
    });
}

function toRow(
  { identity, state, appliedEpoch, leaseMs, silentMs, build, grantKeys }: RegisteredWorker,
  epoch: number,
): string[] {
  const behind = epoch - appliedEpoch;
  return [
    identity,
    state === 'live' && silentMs > leaseMs ? 'silent' : state,
    behind > 0 ? `${behind} ${behind === 1 ? 'change' : 'changes'} behind` : 'current',
    `lease ${describeDuration(leaseMs)}`,
    `heard ${describeDuration(Math.max(0, silentMs))} ago`,
    `build ${build}`,
    grantKeys === '' ? 'no grants' : `keys ${grantKeys.slice(0, 8)}`,
  ];
}
