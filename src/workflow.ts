/** `workspace-providers/workflow`: for workflow code. It imports no Node module, so it runs in Temporal's sandbox. */
export { FAILURE_TYPES, type FailureFacts, type FailureType } from './protocol/failure-types.js';
export type {
  LlmAssistantMessage,
  LlmAssistantPart,
  LlmByName,
  LlmByReference,
  LlmFilePart,
  LlmMessage,
  LlmOptions,
  LlmProviderOptions,
  LlmReasoningPart,
  LlmRequest,
  LlmStepInput,
  LlmStepResult,
  LlmTextPart,
  LlmTool,
  LlmToolCallPart,
  LlmToolMessage,
  LlmToolResultPart,
  LlmUsage,
  LlmUserMessage,
  ReasoningEffort,
} from './protocol/llm-step.js';
export type {
  CacheOutcome,
  NamedProvider,
  ProviderIdentity,
  ProviderReference,
  ProviderSource,
  ProviderUse,
  RpcReference,
  UnusableEndpoint,
  VersionFloors,
  WantedProvider,
} from './protocol/references.js';
export { isRpcReadMethod } from './protocol/rpc-methods.js';
export type {
  AccessListEntry,
  AccountOverride,
  AssetChange,
  BlockOverrides,
  Quantity,
  Revert,
  SimulatedLog,
  SimulatedTransaction,
  Simulation,
  SimulationSettings,
  TenderlyAccount,
  TenderlyBundleInput,
  TenderlyBundleResult,
  TenderlyStepInput,
  TenderlyStepResult,
} from './protocol/simulations.js';
export type {
  ChainById,
  ChainByReference,
  Json,
  ResolveLlmKeyInput,
  ResolveRpcEndpointInput,
  ResolveTenderlyConfigInput,
  RpcRead,
  RpcStepInput,
  RpcStepResult,
} from './protocol/steps.js';
export type { StepOptions } from './workflows/agent/step-options.js';
export {
  llmStep,
  resolveLlmKey,
  resolveProvider,
  resolveRpcEndpoint,
  resolveTenderlyConfig,
  rpcStep,
  tenderlyStep,
} from './workflows/agent/steps.js';
export { failureTypeOf, revertOf } from './workflows/failure-type.js';
