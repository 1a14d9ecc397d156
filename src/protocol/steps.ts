/** Inputs and results of the activities, for workflows and workers. Each is one object, so that fields can be added. */
import type { ProviderUse, RpcReference, UnusableEndpoint, VersionFloors, WantedProvider } from './references.js';

export interface ResolveLlmKeyInput extends WantedProvider {
  /** `anthropic`, `openai`, `gemini` or the workspace's own name. Of a list, the first configured one is used. */
  readonly provider: string | readonly string[];
}

export interface ResolveTenderlyConfigInput extends WantedProvider {}

export interface ResolveRpcEndpointInput extends WantedProvider {
  readonly chainId: number;
}

/** A JSON value, as a history stores it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The endpoints of a chain. They are found and opened in the activity of the step. */
export interface ChainById extends WantedProvider {
  readonly chainId: number;
  readonly ref?: never;
}

/** The endpoints that {@link resolveRpcEndpoint} has returned. */
export interface ChainByReference {
  readonly ref: RpcReference;
  readonly chainId?: never;
  readonly workspaceId?: never;
  readonly atLeast?: VersionFloors;
}

export interface RpcRead {
  /** A method that only reads, because a step may run twice: see {@link isRpcReadMethod}. */
  readonly method: string;
  readonly params?: readonly Json[];
  /**
   * What to do if a service refuses its key: `fail` ends the step; `next` asks the next endpoint, and lists the refused
   * one in `skipped`. Default: `fail`.
   */
  readonly onRejected?: 'fail' | 'next';
}

/** What is read, and from which chain: by its id, or by a reference. */
export type RpcStepInput = RpcRead & (ChainById | ChainByReference);

export interface RpcStepResult<Answer = Json> {
  readonly result: Answer;
  readonly provider: ProviderUse;
  /** Endpoints that could not be opened, or failed before this one answered. */
  readonly skipped: readonly UnusableEndpoint[];
}
