import type { Command } from 'commander';
import { describeProvider } from '../../protocol/names.js';
import { fenceChange, NO_WAIT } from '../fence-change.js';
import { line, type Output } from '../output.js';
import { withClient } from '../with-client.js';

const SWITCHES = [
  {
    name: 'disable',
    summary: 'switch a provider off, and keep it',
    status: 'disabled',
    done: 'disabled',
    fenced: 'no worker serves it',
  },
  {
    name: 'enable',
    summary: 'switch a provider on again',
    status: 'active',
    done: 'enabled',
    fenced: 'every worker serves it',
  },
] as const;

export function addSwitches(program: Command, output: Output): void {
  for (const { name: command, summary, status, done, fenced } of SWITCHES) {
    program
      .command(`${command} <workspace> <type> <name>`)
      .summary(summary)
      .description(
        'A provider that is switched off keeps config and secret, and is served to nobody. Waits until every worker knows.',
      )
      .option(...NO_WAIT)
      .action(async (workspaceId: string, type: string, name: string, { wait }: { readonly wait: boolean }) => {
        const identity = { workspaceId, type, name };
        await withClient(async (client) => {
          const { version } = await client.setStatus(identity, status);
          const facts = [describeProvider(identity), `version ${version}`];
          const document = { ...identity, status, version };
          await fenceChange(client, output, { document, line: line('ok', done, facts), fenced, wait });
        });
      });
  }
}
