import type { Command } from 'commander';
import { describeProvider } from '../../protocol/names.js';
import { line, type Output } from '../output.js';
import { withClient } from '../with-client.js';

const SWITCHES = [
  { name: 'disable', done: 'disabled', summary: 'switch a provider off, and keep it', status: 'disabled' },
  { name: 'enable', done: 'enabled', summary: 'switch a provider on again', status: 'active' },
] as const;

export function addSwitches(program: Command, output: Output): void {
  for (const { name: command, done, summary, status } of SWITCHES) {
    program
      .command(`${command} <workspace> <type> <name>`)
      .summary(summary)
      .description('A provider that is switched off keeps config and secret, and is served to nobody.')
      .action(async (workspaceId: string, type: string, name: string) => {
        const identity = { workspaceId, type, name };
        const { version } = await withClient((client) => client.setStatus(identity, status));
        const facts = [describeProvider(identity), `version ${version}`];
        output.result({ ...identity, status, version }, [line('ok', done, facts)]);
      });
  }
}
