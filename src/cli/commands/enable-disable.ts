import type { Command } from 'commander';
import type { ChangedProvider } from '../../management/provider-inputs.js';
import { describeProvider } from '../../protocol/names.js';
import { withClient } from '../connections.js';
import { fenceChange, NO_WAIT } from '../fence-change.js';
import { line, type Output } from '../terminal/output.js';

const COMMANDS = [
  {
    name: 'disable',
    summary: 'switch a provider off without deleting it',
    method: 'disableProvider',
    status: 'disabled',
    done: 'disabled',
    fenced: 'no worker has served it',
  },
  {
    name: 'enable',
    summary: 'switch a provider on again',
    method: 'enableProvider',
    status: 'active',
    done: 'enabled',
    fenced: 'every worker has served it',
  },
] as const;

export function addEnableDisable(program: Command, output: Output): void {
  for (const { name: command, summary, method, status, done, fenced } of COMMANDS) {
    program
      .command(`${command} <workspace> <type> <name>`)
      .summary(summary)
      .description(
        'A disabled provider keeps its config and secret, and no worker serves it. Waits until every worker has the ' +
          'change.',
      )
      .option(...NO_WAIT)
      .action(async (workspaceId: string, type: string, name: string, { wait }: { readonly wait: boolean }) => {
        const identity = { workspaceId, type, name };
        await withClient((client) =>
          fenceChange<ChangedProvider>(output, {
            run: (options) => client[method](identity, options),
            document: ({ version }) => ({ ...identity, status, version }),
            line: ({ version }) => line('ok', done, [describeProvider(identity), `version ${version}`]),
            fenced,
            wait,
          }),
        );
      });
  }
}
