/** `workspace-providers/ai-sdk`: for agents that use the AI SDK, in workflows through Temporal's plugin or in activities. */
export type { WorkspaceModelsOptions } from './integrations/model-names.js';
export { type WorkspaceModels, workspaceModels } from './integrations/workspace-models.js';
export type { AiSdkEmbeddingModel, AiSdkImageModel, AiSdkModel } from './providers/llm/ai-sdk-model.js';
