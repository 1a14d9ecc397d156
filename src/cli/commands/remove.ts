import type { Command } from 'commander';
import { checkIdentity, describeProvider } from '../../protocol/names.js';
import { withClient } from '../connections.js';
import { fenceChange, NO_WAIT } from '../fence-change.js';
import { line, type Output } from '../terminal/output.js';
import { askWhether, YES } from '../terminal/prompts.js';

interface RemoveOptions {
  readonly yes?: boolean;
  readonly wait: boolean;
}

export function addRemove(program: Command, output: Output): void {
  program
    .command('remove <workspace> <type> <name>')
    .summary('delete a provider and its secret')
    .description(
      'Deletes a provider and its secret, and waits until no worker serves it. Asks first if stdin is a terminal; ' +
        'otherwise --yes is required. The key itself stays valid at its service: revoke it there.',
    )
    .option(...YES)
    .option(...NO_WAIT)
    .action(async (workspaceId: string, type: string, name: string, { yes = false, wait }: RemoveOptions) => {
      const identity = checkIdentity({ workspaceId, type, name });
      if (!yes) await askWhether(`Remove ${describeProvider(identity)} and its secret?`);
      await withClient((client) =>
        fenceChange(output, {
          run: (options) => client.removeProvider(identity, options),
          document: () => ({ ...identity, removed: true }),
          line: () => line('ok', 'removed', [describeProvider(identity)]),
          fenced: 'no worker has served it',
          wait,
        }),
      );
    });
}
