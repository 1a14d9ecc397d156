/** The provider types of this package, as functions for tests. */
import type { ProviderError } from '../../src/protocol/errors.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import { toProviderError as convert } from '../../src/providers/answers/provider-error.js';
import type { ProviderCredentials } from '../../src/providers/credentials.js';
import type { LlmAdminCredential } from '../../src/providers/llm/llm-admin.js';
import type { ParsedProvider } from '../../src/providers/parse-provider.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import type { AnyKeyIssuer, AnyProviderType } from '../../src/providers/type.js';

const types = ProviderTypes.builtIn;

interface Credentials extends ProviderCredentials {
  readonly 'llm-admin': LlmAdminCredential;
}

export const providerType = (type: string): AnyProviderType => types.get(type);

export function parseProvider<Type extends keyof Credentials>(
  type: Type,
  name: string,
  config: unknown,
  secret: unknown,
  owner?: string,
): ParsedProvider<Credentials[Type]>;
export function parseProvider(
  ...[type, name, config, secret, owner]: Parameters<ProviderTypes['parse']>
): ParsedProvider;
export function parseProvider(...args: Parameters<ProviderTypes['parse']>): ParsedProvider {
  return types.parse(...args);
}

export const destinationOf = (type: string, name: string, config: unknown): string =>
  types.destinationOf(type, name, config);

export const fromEnvironment = (type: string, name: string, env: NodeJS.ProcessEnv): ParsedProvider | undefined =>
  types.fromEnvironment(type, name, env);

export const keyIssuerOf = (type: string, name: string): AnyKeyIssuer | undefined => types.keyIssuerOf(type, name);

/** As for a provider of that type and name without config. */
export function toProviderError(error: unknown, provider: ProviderIdentity): ProviderError | undefined {
  const { meaningOf, destinationField } = types.get(provider.type);
  const fields = { name: provider.name, config: {} };
  return convert(error, provider, { meaningOf: (reply) => meaningOf(reply, fields), destinationField });
}
