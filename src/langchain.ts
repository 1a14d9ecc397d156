/** `workspace-providers/langchain`: for agents of LangChain and LangGraph, in activities. */
export type { LlmHandle, WorkspaceModelsOptions } from './integrations/model-names.js';
export {
  type WorkspaceCallOptions,
  WorkspaceChatModel,
  type WorkspaceChatModelOptions,
  workspaceChatModel,
  workspaceEmbeddings,
} from './integrations/workspace-chat-models.js';
