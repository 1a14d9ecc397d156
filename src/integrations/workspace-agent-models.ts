/** Models of the OpenAI Agents SDK that open the workspace's own provider at each call. */
import { withProvider } from '../plugin/with-provider.js';
import type { LlmCredential } from '../providers/llm/llm.js';
import { protocolOf } from '../providers/llm/llm-config.js';
import { optionalPackage } from '../providers/optional-package.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import { partsWithProvider } from './credential-stream.js';
import { type WantedModel, type WorkspaceModelsOptions, wantedModel } from './model-names.js';
import { openaiClientOptions } from './openai-client.js';
import { unwrapped } from './unwrapped.js';

/** A model of the OpenAI Agents SDK. Declared here, so that a project without it can check this package's types. */
export interface WorkspaceAgentModel {
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's type, which a project may not have
  getResponse(request: any): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's type, which a project may not have
  getStreamedResponse(request: any): AsyncIterable<any>;
}

/** A `ModelProvider` of the OpenAI Agents SDK. */
export interface WorkspaceAgentModels {
  getModel(modelName?: string): WorkspaceAgentModel;
}

/**
 * Returns models that call with the key of the workspace that the running workflow was granted for. Pass it to Temporal's
 * `OpenAIAgentsPlugin`. The worker needs `providers.plugin()`; workflow code needs nothing of this package.
 *
 * A model's name is read as by `workspaceModels` of `workspace-providers/ai-sdk`; an agent without one uses the model of
 * the provider's config. OpenAI is called by its Responses API, every other service by its Chat Completions API.
 *
 * @example
 * const worker = await Worker.create({
 *   plugins: [new OpenAIAgentsPlugin({ modelProvider: workspaceAgentModels() }), providers.plugin()],
 *   …
 * });
 */
export function workspaceAgentModels(options: WorkspaceModelsOptions = {}): WorkspaceAgentModels {
  return { getModel: (name) => agentModel(wantedModel(name, options)) };
}

function agentModel(wanted: WantedModel): WorkspaceAgentModel {
  return {
    getResponse: (request: object) =>
      unwrapped(() =>
        withProvider(wanted.provider, (opened) =>
          vendorModel(wanted, opened).getResponse({ ...request, signal: opened.signal }),
        ),
      ),
    getStreamedResponse: (request: object) =>
      partsWithProvider(wanted.provider, (opened) =>
        vendorModel(wanted, opened).getStreamedResponse({ ...request, signal: opened.signal }),
      ),
  };
}

function vendorModel(wanted: WantedModel, opened: ProviderCall<LlmCredential>): WorkspaceAgentModel {
  const { credential } = opened;
  const { OpenAIChatCompletionsModel, OpenAIResponsesModel } = agentsOpenai();
  const client = new (openai().OpenAI)(openaiClientOptions(opened));
  const modelId = wanted.idFor(credential);
  return protocolOf(credential.provider, credential) === 'responses'
    ? new OpenAIResponsesModel(client, modelId)
    : new OpenAIChatCompletionsModel(client, modelId);
}

type VendorModel = new (client: unknown, modelId: string) => WorkspaceAgentModel;

/** Not a literal, since this repository does not install it: `test/projects` does. */
const AGENTS_OPENAI: string = '@openai/agents-openai';

const agentsOpenai = () =>
  optionalPackage<{ readonly OpenAIChatCompletionsModel: VendorModel; readonly OpenAIResponsesModel: VendorModel }>(
    AGENTS_OPENAI,
    () => require(AGENTS_OPENAI),
  );

const openai = () => optionalPackage<typeof import('openai')>('openai', () => require('openai'));
