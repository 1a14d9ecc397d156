import type { Command } from 'commander';
import { checkIdentity } from '../../protocol/names.js';
import type { Output } from '../output.js';
import { requestedBy } from '../requested-by.js';
import { NOBODY, SILENCE_MS } from '../rotation-view.js';
import { withClient } from '../with-client.js';
import { withTemporal } from '../with-temporal.js';

export function addRollBack(program: Command, output: Output): void {
  program
    .command('roll-back <workspace> <type> <name>')
    .summary('bring the older credential back, while a rotation keeps it')
    .description(
      "Turns a rotation that is under way back: the older credential becomes the provider's newest version, and what it " +
        'replaces is revoked in the end. Possible from the activation to the end of the overlap; after that, rotate to a ' +
        'credential of your own.',
    )
    .option('--reason <text>', 'for the record, up to 500 characters (default: who asked)')
    .action(async (workspaceId: string, type: string, name: string, { reason }: { readonly reason?: string }) => {
      const provider = checkIdentity({ workspaceId, type, name });
      await withClient((providers) =>
        withTemporal(async ({ client: temporal, operationsTaskQueue }) => {
          const { RotationClient } = await import('../../client/rotation-client.js');
          const { followRotation } = await import('../follow-rotation.js');
          const rotations = new RotationClient(providers, temporal, operationsTaskQueue);
          const silence = setTimeout(() => output.note(NOBODY), SILENCE_MS);
          const handle = await rotations
            .rollBack(provider, reason ?? `asked for by ${requestedBy()}`)
            .finally(() => clearTimeout(silence));
          await followRotation(handle, { temporal, output, provider });
        }),
      );
    });
}
