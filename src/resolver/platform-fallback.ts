/**
 * The platform's own credentials, from the environment, for workspaces that have none. Off unless a setting names the
 * provider, and asked only on an authoritative "no such provider": a failed read never reaches here, since a workspace
 * that brings its own key must not be billed to the platform because Postgres was away.
 */
import { ProviderError } from '../protocol/errors.js';
import { checkProviderName, checkProviderType } from '../protocol/names.js';
import { fromEnvironment, type ParsedProvider } from '../providers/index.js';
import { type OpenedProvider, toOpened } from './workspace-entry.js';

export class PlatformFallback {
  /** Nothing is allowed. */
  static readonly off = new PlatformFallback(new Map());

  private constructor(private readonly allowed: ReadonlyMap<string, ParsedProvider>) {}

  /**
   * @param setting - `type/name` pairs, separated by commas: `llm/anthropic, rpc/chain-1`
   * @throws ProviderError `ProviderConfigInvalid` for a pair that is none, and for one that the environment has no
   *   credential for: found at the start, not at the first workflow that needs it
   */
  static parse(setting: string, env: NodeJS.ProcessEnv): PlatformFallback {
    const allowed = new Map<string, ParsedProvider>();
    for (const pair of setting.split(',').map((each) => each.trim())) {
      if (pair === '') continue;
      const [type = '', name = '', rest] = pair.split('/');
      if (rest !== undefined) throw invalid('must be pairs of type/name, separated by commas');
      const found = fromEnvironment(checkProviderType(type), checkProviderName(name), env);
      if (!found) throw invalid(`allows ${pair}, but the environment has no credential for it`);
      allowed.set(pair, found);
    }
    return new PlatformFallback(allowed);
  }

  /** What the setting allows, as `type/name`. */
  describe(): readonly string[] {
    return [...this.allowed.keys()];
  }

  /** The platform's provider as one of the workspace's, where the setting allows it. */
  open(workspaceId: string, type: string, name: string): OpenedProvider | undefined {
    const found = this.allowed.get(`${type}/${name}`);
    return found && toOpened({ workspaceId, type, name }, found, 0, 'platform');
  }
}

function invalid(problem: string): ProviderError {
  const field = 'PROVIDER_PLATFORM_FALLBACK';
  return new ProviderError('ProviderConfigInvalid', `${field} ${problem}`, { fields: [field] });
}
