/** The resolver as activities have it: for the one workspace that the running workflow works for. */
import type { ProviderReference, RpcReference } from '../protocol/references.js';
import type { CredentialOf, ProviderTypeName } from '../providers/index.js';
import type { ProviderCall } from './provider-call.js';
import type { ProviderResolver } from './provider-resolver.js';

/**
 * The workspace of whoever asks; `named` is what the arguments say, if they say one.
 *
 * @throws ProviderError `GrantInvalid`, without a look at the database
 */
export type WorkspaceScope = (named?: string) => Promise<string>;

export class GrantedResolver {
  constructor(
    private readonly resolver: ProviderResolver,
    private readonly workspaceOf: WorkspaceScope,
  ) {}

  async resolveLlmKey(
    named: string | undefined,
    provider: string | readonly string[],
  ): Promise<ProviderReference<'llm'>> {
    return this.resolver.resolveLlmKey(await this.workspaceOf(named), provider);
  }

  async resolveTenderlyConfig(named?: string): Promise<ProviderReference<'tenderly'>> {
    return this.resolver.resolveTenderlyConfig(await this.workspaceOf(named));
  }

  async resolveRpcEndpoint(named: string | undefined, chainId: number, atLeast?: RpcReference): Promise<RpcReference> {
    return this.resolver.resolveRpcEndpoint(await this.workspaceOf(named), chainId, atLeast);
  }

  async withProvider<Type extends ProviderTypeName, Result>(
    reference: ProviderReference<Type>,
    callback: (call: ProviderCall<CredentialOf<Type>>) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    await this.workspaceOf(reference.workspaceId);
    return this.resolver.withProvider(reference, callback, signal);
  }
}
