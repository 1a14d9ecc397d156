/** Inputs and results of the activities, for workflows and workers. Each is one object, so that fields can be added. */
import type { ProviderUse, RpcReference, UnusableEndpoint } from './references.js';

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

export interface RpcStepInput {
  readonly ref: RpcReference;
  /** A method that only reads, because a step may run twice: see {@link isRpcReadMethod}. */
  readonly method: string;
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
