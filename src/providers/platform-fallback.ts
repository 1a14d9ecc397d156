/**
 * The platform's own credentials, from the environment, for workspaces that have none. The fallback is off unless a
 * setting names the provider. It is used only if the database answered that there is no such provider, and never after
 * a failed read: if Postgres cannot be reached, the platform must not pay for a workspace that has its own key.
 */
import { ProviderError } from '../protocol/errors.js';
import { checkProviderName, checkProviderType } from '../protocol/names.js';
import type { ParsedProvider } from './parse-provider.js';
import type { ProviderTypes } from './provider-types.js';

const SETTING = 'PROVIDER_PLATFORM_FALLBACK';

export class PlatformFallback {
  /** Allows nothing. */
  static readonly off = new PlatformFallback(new Map());

  private constructor(private readonly allowed: ReadonlyMap<string, ParsedProvider>) {}

  /**
   * @param setting - `type/name` pairs, separated by commas: `llm/anthropic, rpc/chain-1`
   * @throws ProviderError `SetupInvalid` for text that is not a pair, and for a pair without a credential in the
   *   environment: the process then fails at the start, instead of the first workflow that needs the credential
   */
  static parse(setting: string, env: NodeJS.ProcessEnv, types: ProviderTypes): PlatformFallback {
    const allowed = new Map<string, ParsedProvider>();
    for (const pair of setting.split(',').map((each) => each.trim())) {
      if (pair === '') continue;
      const [type = '', name = '', rest] = pair.split('/');
      if (rest !== undefined)
        throw ProviderError.setupInvalid(SETTING, 'must be pairs of type/name, separated by commas');
      const found = types.fromEnvironment(checkProviderType(type), checkProviderName(name), env);
      if (!found)
        throw ProviderError.setupInvalid(
          SETTING,
          `allows ${pair}, but the environment has no credential for it: set its variables (docs/configuration.md, Platform fallback)`,
        );
      allowed.set(pair, found);
    }
    return new PlatformFallback(allowed);
  }

  /** The allowed providers, as `type/name`. */
  describe(): readonly string[] {
    return [...this.allowed.keys()];
  }

  /** The platform's provider, if the setting allows it. */
  find(type: string, name: string): ParsedProvider | undefined {
    return this.allowed.get(`${type}/${name}`);
  }
}
