import type { Command } from 'commander';
import { DURATION_RULE, type Duration, parseDuration } from '../../config/duration.js';
import { describeProvider } from '../../protocol/names.js';
import { withClient } from '../connections.js';
import { UsageError } from '../failure.js';
import { line, type Output } from '../terminal/output.js';

export function addRotateEvery(program: Command, output: Output): void {
  program
    .command('rotate-every <workspace> <type> <name> <interval>')
    .summary('set how old a credential may become before its rotation is due')
    .description(
      'Sets how long after its last replacement a credential is due for rotation: 12h, 90d, or never. The schedule ' +
        'rotate-due rotates what is due. Nothing else changes: no new version, no fence.',
    )
    .action(async (workspaceId: string, type: string, name: string, interval: string) => {
      const identity = { workspaceId, type, name };
      const rotateEvery = interval === 'never' ? undefined : readInterval(interval);
      await withClient((client) => client.setRotationInterval(identity, rotateEvery));
      const when = rotateEvery ? `every ${rotateEvery}` : 'only on request';
      output.result({ ...identity, rotateEvery: rotateEvery ?? null }, [
        line('ok', 'due', [describeProvider(identity), when]),
      ]);
    });
}

/** @throws UsageError */
function readInterval(interval: string): Duration {
  if (parseDuration(interval) !== undefined) return interval as Duration;
  throw new UsageError(`the interval must be never, or ${DURATION_RULE}`);
}
