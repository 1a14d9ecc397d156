import { checkIdentity } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { Statement } from './pool.js';

/** A statement that calls the function with this number of parameters. */
export function call(name: string, parameters: number, columns = '*'): Statement {
  const places = Array.from({ length: parameters }, (_, index) => `$${index + 1}`);
  return { name, text: `select ${columns} from provider_api.${name}(${places.join(', ')})` };
}

/** A {@link call} that changes providers. */
export function change(name: string, parameters: number, columns = '*'): Statement {
  return { ...call(name, parameters, columns), isChange: true };
}

/** @throws ProviderError `ProviderConfigInvalid` if one of the three names is not valid */
export function keyOf(identity: ProviderIdentity): [string, string, string] {
  const { workspaceId, type, name } = checkIdentity(identity);
  return [workspaceId, type, name];
}

export interface KeyColumns {
  readonly workspace_id: string;
  readonly provider_type: string;
  readonly provider_name: string;
}

export function toIdentity(row: KeyColumns): ProviderIdentity {
  return { workspaceId: row.workspace_id, type: row.provider_type, name: row.provider_name };
}
