/** What each activity returns. Read by `activity-schemas.mjs`. */

import type { LlmStepResult } from '../dist/protocol/llm-step.js';
import type { ProviderReference, RpcReference } from '../dist/protocol/references.js';
import type { RpcStepResult, TenderlyStepResult } from '../dist/protocol/steps.js';

export interface Results {
  resolveProvider: ProviderReference;
  resolveLlmKey: ProviderReference<'llm'>;
  resolveTenderlyConfig: ProviderReference<'tenderly'>;
  resolveRpcEndpoint: RpcReference;
  llmStep: LlmStepResult;
  tenderlyStep: TenderlyStepResult;
  rpcStep: RpcStepResult;
}
