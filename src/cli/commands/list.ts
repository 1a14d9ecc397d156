import type { Command } from 'commander';
import type { ProviderSummary } from '../../management/provider-summary.js';
import { withClient } from '../connections.js';
import { describeShown, line, minute, type Output, table } from '../terminal/output.js';

export function addList(program: Command, output: Output): void {
  program
    .command('list <workspace>')
    .summary("list a workspace's providers, secrets masked")
    .description("Lists a workspace's providers with their secrets masked, including providers that do not open.")
    .action(async (workspaceId: string) => {
      const providers = await withClient((client) => client.listProviders(workspaceId));
      const none = line('unsure', 'empty', [`${workspaceId} has no providers`]);
      output.result({ workspaceId, providers }, providers.length > 0 ? table(providers.map(toRow)) : [none]);
    });
}

function toRow(provider: ProviderSummary): string[] {
  return [
    `${provider.type}/${provider.name}`,
    provider.status,
    `version ${provider.version}`,
    provider.lastCheck ? `${provider.lastCheck.outcome} ${minute(provider.lastCheck.at)}` : 'never checked',
    provider.lastUsedAt ? `used ${minute(provider.lastUsedAt)}` : 'never used',
    `${provider.readable ? describeShown(provider.shown) : `not readable: ${provider.problem}`}${due(provider)}`,
  ];
}

function due({ rotateEvery }: ProviderSummary): string {
  return rotateEvery ? ` · rotated every ${rotateEvery}` : '';
}
