/** `workspace-providers/openai-agents`: for agents of the OpenAI Agents SDK that run through Temporal's plugin. */
export type { WorkspaceModelsOptions } from './integrations/model-names.js';
export {
  type WorkspaceAgentModel,
  type WorkspaceAgentModels,
  workspaceAgentModels,
} from './integrations/workspace-agent-models.js';
