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

/** A workspace of its own for each test, so that none sees another's rows. */
export const anyWorkspace = (): string => uniqueName('ws');

export function provider(workspaceId: string, name = 'anthropic', type = 'llm'): ProviderIdentity {
  return { workspaceId, type, name };
}

export function dataKey(kid: string): WrappedDataKey {
  return { kid, wrappedKey: `canary-wrapped-${kid}`, rootKeyId: 'root-1' };
}
