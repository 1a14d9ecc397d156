import type { Command } from 'commander';
import { checkIdentity, describeProvider } from '../../protocol/names.js';
import { askWhether, YES } from '../confirmation.js';
import { fenceChange, NO_WAIT } from '../fence-change.js';
import { line, type Output } from '../output.js';
import { withClient } from '../with-client.js';

interface RemoveOptions {
  readonly yes?: boolean;
  readonly wait: boolean;
}

export function addRemove(program: Command, output: Output): void {
  program
    .command('remove <workspace> <type> <name>')
    .summary('delete a provider and its secret')
    .description(
      'Deletes a provider and its secret, and waits until no worker serves it. Asks first where stdin is a terminal; ' +
        'elsewhere it wants --yes. The key itself stays valid at its service: revoke it there.',
    )
    .option(...YES)
    .option(...NO_WAIT)
    .action(async (workspaceId: string, type: string, name: string, { yes = false, wait }: RemoveOptions) => {
      const identity = checkIdentity({ workspaceId, type, name });
      if (!yes) await askWhether(`Remove ${describeProvider(identity)} and its secret?`);
      await withClient(async (client) => {
        await client.removeProvider(identity);
        const removed = line('ok', 'removed', [describeProvider(identity)]);
        const document = { ...identity, removed: true };
        await fenceChange(client, output, { document, line: removed, fenced: 'no worker serves it', wait });
      });
    });
}
