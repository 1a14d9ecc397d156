import type { ProviderIdentity } from '../../src/protocol/references.js';
import type { WrappedDataKey } from '../../src/store/ports.js';
import { uniqueName } from '../support/parts.js';

export function sealed(content: string): string {
  const parts = ['{"alg":"dir"}', '', 'iv', content, 'tag'];
  return parts.map((part) => Buffer.from(part).toString('base64url')).join('.');
}

export function row(content: string) {
  return { config: { note: content }, encryptedConfig: sealed(content) };
}

/** A new workspace per test, so that no test sees the rows of another. */
export const anyWorkspace = (): string => uniqueName('ws');

export function provider(workspaceId: string, name = 'anthropic', type = 'llm'): ProviderIdentity {
  return { workspaceId, type, name };
}

export function dataKey(kid: string): WrappedDataKey {
  return { kid, wrappedKey: `canary-wrapped-${kid}`, rootKeyId: 'root-1' };
}
