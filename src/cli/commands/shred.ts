import type { Command } from 'commander';
import { checkWorkspaceId } from '../../protocol/names.js';
import { askWhether, YES } from '../confirmation.js';
import { fenceChange, NO_WAIT } from '../fence-change.js';
import { line, type Output } from '../output.js';
import { withClient } from '../with-client.js';

interface ShredOptions {
  readonly yes?: boolean;
  readonly wait: boolean;
}

export function addShred(program: Command, output: Output): void {
  program
    .command('shred <workspace>')
    .summary('make all that a workspace stored unreadable, for good')
    .description(
      "Deletes a workspace's data keys, and waits until no worker serves what they sealed: nobody can open it any more. " +
        'The rows stay, until they are configured anew or removed. ' +
        'Asks first where stdin is a terminal; elsewhere it wants --yes. The keys themselves stay valid at their services.',
    )
    .option(...YES)
    .option(...NO_WAIT)
    .action(async (workspace: string, { yes = false, wait }: ShredOptions) => {
      const workspaceId = checkWorkspaceId(workspace);
      if (!yes) await askWhether(`Make all that ${workspaceId} stored unreadable, for good?`);
      await withClient(async (client) => {
        await client.shredWorkspace(workspaceId);
        const shredded = line('ok', 'shredded', [`what ${workspaceId} stored`, 'configure its providers anew']);
        const document = { workspaceId, shredded: true };
        const fenced = 'no worker serves what it stored';
        await fenceChange(client, output, { document, line: shredded, fenced, wait });
      });
    });
}
