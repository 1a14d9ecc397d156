/** Why no provider serves: it is missing, disabled, or there but not to be found. */
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { WorkspaceEntry } from './workspace-entry.js';

/** Speaks of the first of `names` that is there and disabled, or of all of them. */
export function notServed(
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

/** The endpoint whose chain cannot be told, if there is one: it may have been meant to serve. */
export function chainMisfit(entry: WorkspaceEntry): ProviderError | undefined {
  const misfit = entry.ofType('rpc').find(({ record }) => {
    return !Number.isSafeInteger((record.config as { chainId?: unknown } | null)?.chainId);
  });
  if (!misfit) return undefined;
  const message = `${describeProvider(misfit.identity)}: config.chainId must be a chain id: a whole number from 1`;
  return new ProviderError('ProviderConfigInvalid', message, {
    provider: misfit.identity,
    fields: ['config.chainId'],
  });
}
