/** The errors for a provider that cannot serve: it is missing, it is disabled, or its chain is unknown. */
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { WorkspaceEntry } from './workspace-entry.js';

/** The error for the first of `names` that is configured but disabled. Without one, the error for all of `names`. */
export function notServed(
  entry: WorkspaceEntry,
  workspaceId: string,
  type: string,
  names: readonly string[],
): ProviderError {
  const disabled = names.find((name) => entry.find(type, name) !== undefined);
  if (disabled !== undefined) {
    const provider: ProviderIdentity = { workspaceId, type, name: disabled };
    const message = `${describeProvider(provider)} is disabled: enable it, or use another one`;
    return new ProviderError('ProviderDisabled', message, { provider });
  }
  const name = names[0] ?? 'default';
  const wanted = names.map((each) => `${type}/${each}`).join(' or ');
  return new ProviderError(
    'ProviderNotConfigured',
    `${workspaceId} has no ${wanted}: run workspace-providers configure ${workspaceId} ${type} ${name}`,
    { provider: { workspaceId, type, name } },
  );
}

/** The error for an endpoint whose chain is unknown, if there is one: it may have been meant for the chain. */
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
