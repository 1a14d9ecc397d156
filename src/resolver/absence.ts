/** What to say where no provider serves: missing, switched off, or there but not fit to be found. */
import { ProviderError } from '../protocol/errors.js';
import type { ProviderIdentity } from '../protocol/identity.js';
import { describeProvider } from '../protocol/names.js';
import type { WorkspaceEntry } from './workspace-entry.js';

/** For the first of `names` that is there and disabled, else for them all. */
export function missing(
  entry: WorkspaceEntry,
  workspaceId: string,
  type: string,
  names: readonly string[],
): ProviderError {
  const disabled = names.find((name) => entry.find(type, name) !== undefined);
  if (disabled !== undefined) {
    const provider: ProviderIdentity = { workspaceId, type, name: disabled };
    return new ProviderError('ProviderDisabled', `${describeProvider(provider)} is disabled`, { provider });
  }
  const name = names[0] ?? 'default';
  const wanted = names.map((each) => `${type}/${each}`).join(' or ');
  return new ProviderError(
    'ProviderNotConfigured',
    `${workspaceId} has no ${wanted}: workspace-providers configure ${workspaceId} ${type} ${name}`,
    { provider: { workspaceId, type, name } },
  );
}

/**
 * Where no endpoint serves a chain, one whose chain cannot be told may have been meant to.
 *
 * @throws ProviderError `ProviderConfigInvalid` naming it
 */
export function checkChainsOf(entry: WorkspaceEntry): void {
  const misfit = entry.ofType('rpc').find(({ record }) => {
    return !Number.isSafeInteger((record.config as { chainId?: unknown } | null)?.chainId);
  });
  if (!misfit) return;
  const message = `${describeProvider(misfit.identity)}: config.chainId must be a chain id: a whole number from 1`;
  throw new ProviderError('ProviderConfigInvalid', message, {
    provider: misfit.identity,
    fields: ['config.chainId'],
  });
}
