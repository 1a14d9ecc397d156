import type { Command } from 'commander';
import type { ProviderSummary } from '../../management/provider-summary.js';
import { withClient } from '../connections.js';
import { EXIT } from '../exit-codes.js';
import { describeShown, line, minute, type Output, table } from '../terminal/output.js';

const UNREADABLE = 'CredentialUnreadable';

export function addList(program: Command, output: Output): void {
  program
    .command('list <workspace>')
    .summary("list a workspace's providers, secrets masked")
    .description(
      "Lists a workspace's providers with their secrets masked, including providers that do not open. Ends with 4 if " +
        'none of them opens, as with a foreign ENCRYPTION_KEY.',
    )
    .action(async (workspaceId: string) => {
      const providers = await withClient((client) => client.listProviders(workspaceId));
      const none = line('unsure', 'empty', [`${workspaceId} has no providers`]);
      output.result({ workspaceId, providers }, providers.length > 0 ? table(providers.map(toRow)) : [none]);
      const isSealedOtherwise = providers.length > 0 && providers.every(({ problem }) => problem === UNREADABLE);
      if (isSealedOtherwise) output.exitCode = EXIT.rejected;
    });
}

function toRow(provider: ProviderSummary): string[] {
  return [
    `${provider.type}/${provider.name}`,
    provider.status,
    `version ${provider.version}`,
    provider.lastCheck ? `${provider.lastCheck.outcome} ${minute(provider.lastCheck.at)}` : 'never checked',
    provider.lastUsedAt ? `used ${minute(provider.lastUsedAt)}` : 'never used',
    `${provider.readable ? describeShown(provider.shown) : describeProblem(provider)}${due(provider)}`,
  ];
}

function describeProblem({ problem }: ProviderSummary): string {
  return problem === UNREADABLE
    ? 'does not open: check that ENCRYPTION_KEY has its root key, or configure it again'
    : 'does not fit its type: configure it again';
}

function due({ rotateEvery }: ProviderSummary): string {
  return rotateEvery ? ` · rotated every ${rotateEvery}` : '';
}
