/** Inputs and results of the activities, for workflows and workers. Each is one object, so that fields can be added. */
import type { ProviderReference, ProviderUse, RpcReference, UnusableEndpoint } from './references.js';

export interface ResolveLlmKeyInput {
  /** Default: the workspace of the workflow's grant. No other workspace is accepted. */
  readonly workspaceId?: string;
  /** `anthropic`, `openai`, `gemini` or the workspace's own name. Of a list, the first configured one is used. */
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

/** A JSON value, as a history stores it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A transaction to simulate. Quantities are in wei or gas, as decimal or hexadecimal strings. */
export interface SimulatedTransaction {
  readonly from: string;
  readonly to: string;
  /** The call data, in hexadecimal. Default: `0x`. */
  readonly input?: string;
  readonly value?: string;
  readonly gas?: number;
}

export interface TenderlyStepInput {
  readonly ref: ProviderReference<'tenderly'>;
  /** The chain to simulate on, as Tenderly names it: a decimal chain id. */
  readonly networkId: string;
  readonly transaction: SimulatedTransaction;
  /** Whether to keep the simulation in the project's dashboard. Default: false. */
  readonly save?: boolean;
}

export interface TenderlyStepResult {
  /** Whether the transaction would succeed. */
  readonly success: boolean;
  readonly gasUsed: number;
  readonly errorMessage?: string;
  /** The simulation's id at Tenderly, if it was saved. */
  readonly simulationId?: string;
  readonly provider: ProviderUse;
}

/** The JSON-RPC methods that `rpcStep` may send. They only read, because a step may run twice. */
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
   * What to do if a service refuses its key: `fail` ends the step; `next` asks the next endpoint, and lists the refused
   * one in `skipped`. Default: `fail`.
   */
  readonly onRejected?: 'fail' | 'next';
}

export interface RpcStepResult<Answer = Json> {
  readonly result: Answer;
  readonly provider: ProviderUse;
  /** Endpoints that could not be opened, or failed before this one answered. */
  readonly skipped: readonly UnusableEndpoint[];
}
