/** Who a provider is: the key of its row, and what its ciphertext is bound to. */
export interface ProviderIdentity {
  readonly workspaceId: string;
  /** `llm`, `tenderly`, `rpc`, … */
  readonly type: string;
  /** Within its type: `anthropic`, `default`, `mainnet-primary`. Lower case. */
  readonly name: string;
}
