/** Inputs and results of the activities: what workflow and worker agree on. One object each, so fields can be added. */
import type { ProviderReference, ProviderUse, RpcReference, UnusableEndpoint } from './references.js';

export interface ResolveLlmKeyInput {
  /** Default: the workspace of the workflow's grant, which is the only one that may be named. */
  readonly workspaceId?: string;
  /** `anthropic`, `openai`, `gemini` or a name of the workspace's own; of a list, the first that is configured. */
  readonly provider: string | readonly string[];
}

export interface ResolveTenderlyConfigInput {
  /** Default: the workspace of the workflow's grant. */
  readonly workspaceId?: string;
}

export interface ResolveRpcEndpointInput {
  /** Default: the workspace of the workflow's grant. */
  readonly workspaceId?: string;
  readonly chainId: number;
}

/** A JSON value, as a history holds it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface LlmMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

export interface LlmStepInput {
  readonly ref: ProviderReference<'llm'>;
  /** The model's id; or one for each provider name, where `ref` was resolved from a list. Absent: the provider's own default. */
  readonly model?: string | Readonly<Record<string, string>>;
  readonly system?: string;
  /** Give `prompt` or `messages`. */
  readonly prompt?: string;
  readonly messages?: readonly LlmMessage[];
  /** A JSON schema: the model answers with an object that fits it. */
  readonly schema?: { readonly [key: string]: Json };
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
}

export interface LlmStepResult<Answer = Json> {
  readonly text: string;
  /** The answer, where a schema was given. */
  readonly object?: Answer;
  readonly model: string;
  readonly finishReason: string;
  /** Tokens, as the service counted them; absent where it did not say. */
  readonly usage: { readonly inputTokens?: number; readonly outputTokens?: number; readonly totalTokens?: number };
  readonly provider: ProviderUse;
}

/** A transaction to simulate; quantities in wei or gas, as decimal strings or hex. */
export interface SimulatedTransaction {
  readonly from: string;
  readonly to: string;
  /** Call data, hex. Default `0x`. */
  readonly input?: string;
  readonly value?: string;
  readonly gas?: number;
}

export interface TenderlyStepInput {
  readonly ref: ProviderReference<'tenderly'>;
  /** The chain to simulate on, as Tenderly names it: a decimal chain id. */
  readonly networkId: string;
  readonly transaction: SimulatedTransaction;
  /** Keep the simulation in the project's dashboard. Default false. */
  readonly save?: boolean;
}

export interface TenderlyStepResult {
  /** Whether the transaction would succeed. */
  readonly success: boolean;
  readonly gasUsed: number;
  readonly errorMessage?: string;
  /** Of the simulation at Tenderly, where it was saved. */
  readonly simulationId?: string;
  readonly provider: ProviderUse;
}

/** JSON-RPC methods that read: what `rpcStep` sends. A step may run twice, so nothing that writes stands here. */
export const RPC_READ_METHODS = [
  'eth_blockNumber',
  'eth_call',
  'eth_chainId',
  'eth_createAccessList',
  'eth_estimateGas',
  'eth_feeHistory',
  'eth_gasPrice',
  'eth_getBalance',
  'eth_getBlockByHash',
  'eth_getBlockByNumber',
  'eth_getBlockReceipts',
  'eth_getBlockTransactionCountByHash',
  'eth_getBlockTransactionCountByNumber',
  'eth_getCode',
  'eth_getLogs',
  'eth_getProof',
  'eth_getStorageAt',
  'eth_getTransactionByBlockHashAndIndex',
  'eth_getTransactionByBlockNumberAndIndex',
  'eth_getTransactionByHash',
  'eth_getTransactionCount',
  'eth_getTransactionReceipt',
  'eth_maxPriorityFeePerGas',
  'net_version',
] as const;

export type RpcReadMethod = (typeof RPC_READ_METHODS)[number];

export interface RpcStepInput {
  readonly ref: RpcReference;
  readonly method: RpcReadMethod;
  readonly params?: readonly Json[];
  /**
   * What to do if a service refuses its key: `fail` (the default) ends the step; `next` asks the next endpoint, and lists
   * the refused one in `skipped`.
   */
  readonly onRejected?: 'fail' | 'next';
}

export interface RpcStepResult<Answer = Json> {
  readonly result: Answer;
  readonly provider: ProviderUse;
  /** Endpoints that could not be opened, or failed before this one answered. */
  readonly skipped: readonly UnusableEndpoint[];
}
