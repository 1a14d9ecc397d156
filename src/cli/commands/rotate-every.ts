import type { Command } from 'commander';
import { describeProvider } from '../../protocol/names.js';
import { line, type Output } from '../output.js';
import { withClient } from '../with-client.js';

export function addRotateEvery(program: Command, output: Output): void {
  program
    .command('rotate-every <workspace> <type> <name> <interval>')
    .summary('say how old a credential may get')
    .description(
      'Sets how long after its last replacement a credential is due for rotation: "12 hours", "90 days", "6 months", or ' +
        'never. What is due is rotated by the schedule rotate-due. Nothing else changes: no new version, no fence.',
    )
    .action(async (workspaceId: string, type: string, name: string, interval: string) => {
      const identity = { workspaceId, type, name };
      const rotateEvery = interval === 'never' ? undefined : interval;
      await withClient((client) => client.setRotationInterval(identity, rotateEvery));
      const said = rotateEvery ? `every ${rotateEvery}` : 'only when somebody asks for it';
      output.result({ ...identity, rotateEvery: rotateEvery ?? null }, [
        line('ok', 'due', [describeProvider(identity), said]),
      ]);
    });
}
