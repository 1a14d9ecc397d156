/**
 * The platform's own credentials, from the environment, for workspaces that have none. Off unless a setting names the
 * provider, and asked only on an authoritative "no such provider": a failed read never reaches here, since a workspace
 * that brings its own key must not be billed to the platform because Postgres was away.
 */
import { ProviderError } from '../protocol/errors.js';
import { checkProviderName, checkProviderType } from '../protocol/names.js';
import { fromEnvironment } from '../providers/index.js';
import { type OpenedProvider, openProvider } from './workspace-entry.js';

export class PlatformFallback {
  /** Nothing is allowed. */
  static readonly off = new PlatformFallback(new Set(), {});

  private constructor(
    private readonly allowed: ReadonlySet<string>,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /**
   * @param setting - `type/name` pairs, separated by commas: `llm/anthropic, rpc/chain-1`
   * @throws ProviderError `ProviderConfigInvalid` for a pair that is none, and for one that the environment has no
   *   credential for: found at the start, not at the first workflow that needs it
   */
  static parse(setting: string, env: NodeJS.ProcessEnv): PlatformFallback {
    const pairs = setting.split(',').map((pair) => pair.trim());
    for (const pair of pairs.filter(Boolean)) {
      const [type = '', name = '', rest] = pair.split('/');
      if (rest !== undefined) throw invalid('must be pairs of type/name, separated by commas');
      checkProviderType(type);
      checkProviderName(name);
      if (!fromEnvironment(type, name, env)) {
        throw invalid(`allows ${type}/${name}, but the environment has no credential for it`);
      }
    }
    return new PlatformFallback(new Set(pairs.filter(Boolean)), env);
  }

  /** What the setting allows, as `type/name`. */
  describe(): readonly string[] {
    return [...this.allowed];
  }

  open(workspaceId: string, type: string, name: string): OpenedProvider | undefined {
    if (!this.allowed.has(`${type}/${name}`)) return undefined;
    const found = fromEnvironment(type, name, this.env);
    return found && openProvider({ workspaceId, type, name }, found.config, found.secret, 0, 'platform');
  }
}

function invalid(problem: string): ProviderError {
  const field = 'PROVIDER_PLATFORM_FALLBACK';
  return new ProviderError('ProviderConfigInvalid', `${field} ${problem}`, { fields: [field] });
}
