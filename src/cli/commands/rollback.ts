import type { Command } from 'commander';
import { checkIdentity } from '../../protocol/names.js';
import { requestedBy, withClient, withTemporal } from '../connections.js';
import type { Output } from '../terminal/output.js';
import { NOBODY, SILENCE_MS } from '../terminal/rotation-view.js';

export function addRollback(program: Command, output: Output): void {
  program
    .command('rollback <workspace> <type> <name>')
    .summary('restore the older credential while a rotation keeps it')
    .description(
      "Rolls back a running rotation: the older credential becomes the provider's newest version, and the one that " +
        'it replaces is revoked in the end. Possible from the activation to the end of the overlap; after that, ' +
        'rotate to the older credential.',
    )
    .option('--reason <text>', 'why, for the record; up to 500 characters (default: who requested it)')
    .action(async (workspaceId: string, type: string, name: string, { reason }: { readonly reason?: string }) => {
      const provider = checkIdentity({ workspaceId, type, name });
      await withClient((providers) =>
        withTemporal(async ({ client: temporal, operationsTaskQueue }) => {
          const { RotationClient } = await import('../../client/rotation-client.js');
          const { followRotation } = await import('../follow-rotation.js');
          const rotations = new RotationClient(providers, temporal, operationsTaskQueue);
          const silence = setTimeout(() => output.note(NOBODY), SILENCE_MS);
          const handle = await rotations
            .rollBack(provider, reason ?? `requested by ${requestedBy()}`)
            .finally(() => clearTimeout(silence));
          await followRotation(handle, { temporal, output, provider });
        }),
      );
    });
}
