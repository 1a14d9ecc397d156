import type { Command } from 'commander';
import type { ProviderSummary } from '../../client/provider-summary.js';
import { describeShown, line, type Output } from '../output.js';
import { withClient } from '../with-client.js';

export function addList(program: Command, output: Output): void {
  program
    .command('list <workspace>')
    .summary("a workspace's providers, secrets masked")
    .description("Lists a workspace's providers with their secrets masked, also those that do not open.")
    .action(async (workspaceId: string) => {
      const providers = await withClient((client) => client.getProviders(workspaceId));
      const none = line('unsure', 'empty', [`${workspaceId} has no providers`]);
      output.result({ workspaceId, providers }, providers.length > 0 ? table(providers) : [none]);
    });
}

function table(providers: readonly ProviderSummary[]): string[] {
  const rows = providers.map((provider) => [
    `${provider.type}/${provider.name}`,
    provider.status,
    `version ${provider.version}`,
    provider.lastCheck ? `${provider.lastCheck.outcome} ${minute(provider.lastCheck.at)}` : 'never checked',
    provider.readable ? describeShown(provider.shown) : `not readable: ${provider.problem}`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
}

/** `2026-03-01 12:00 UTC` */
function minute(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
