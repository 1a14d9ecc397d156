import type { Command } from 'commander';
import { checkWorkspaceId } from '../../protocol/names.js';
import { withClient } from '../connections.js';
import { fenceChange, NO_WAIT } from '../fence-change.js';
import { line, type Output } from '../terminal/output.js';
import { askWhether, YES } from '../terminal/prompts.js';

interface ShredOptions {
  readonly yes?: boolean;
  readonly wait: boolean;
}

export function addShred(program: Command, output: Output): void {
  program
    .command('shred <workspace>')
    .summary("delete a workspace's data keys, so that nobody can open its secrets")
    .description(
      "Deletes a workspace's data keys, so that nobody can open the secrets that they sealed, and waits until no " +
        'worker serves them. The rows stay until they are configured again or removed. Asks first if stdin is a ' +
        'terminal; otherwise --yes is required. The credentials themselves stay valid at their services.',
    )
    .option(...YES)
    .option(...NO_WAIT)
    .action(async (workspace: string, { yes = false, wait }: ShredOptions) => {
      const workspaceId = checkWorkspaceId(workspace);
      if (!yes) await askWhether(`Delete the data keys of ${workspaceId}? After that, nobody can open its secrets.`);
      await withClient((client) =>
        fenceChange(output, {
          run: (options) => client.shredWorkspace(workspaceId, options),
          document: () => ({ workspaceId, shredded: true }),
          line: () => line('ok', 'shredded', [`the secrets of ${workspaceId}`, 'configure its providers again']),
          fenced: 'no worker has served them',
          wait,
        }),
      );
    });
}
