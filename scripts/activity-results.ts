/** What each activity returns. Read by `activity-schemas.mjs`. */
import type { ProviderReference, RpcReference } from '../dist/protocol/references.js';
import type { TenderlyBundleResult, TenderlyStepResult } from '../dist/protocol/simulations.js';
import type { LlmStepResult, RpcStepResult } from '../dist/protocol/steps.js';

export interface Results {
  resolveProvider: ProviderReference;
  resolveLlmKey: ProviderReference<'llm'>;
  resolveTenderlyConfig: ProviderReference<'tenderly'>;
  resolveRpcEndpoint: RpcReference;
  llmStep: LlmStepResult;
  tenderlyStep: TenderlyStepResult | TenderlyBundleResult;
  rpcStep: RpcStepResult;
}
