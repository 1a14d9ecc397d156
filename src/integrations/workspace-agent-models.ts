/** Models of the OpenAI Agents SDK that open the workspace's own provider at each call. */
import { leavesUnwrapped, withProvider } from '../plugin/with-provider.js';
import { modelAnswers } from '../providers/answers/model-answer.js';
import type { LlmCredential } from '../providers/llm/llm.js';
import { protocolOf } from '../providers/llm/llm-config.js';
import { withVersion } from '../providers/llm/vendors.js';
import { optionalPackage } from '../providers/optional-package.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import { streamWithProvider } from './credential-stream.js';
import { type WantedModel, type WorkspaceModelsOptions, wantedModel } from './model-names.js';

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
      asOurs(() =>
        withProvider(wanted.provider, (opened) =>
          vendorModel(wanted, opened).getResponse({ ...request, signal: opened.signal }),
        ),
      ),
    async *getStreamedResponse(request: object) {
      const open = async (opened: ProviderCall<LlmCredential>) => {
        const passed = { ...request, signal: opened.signal };
        return { head: undefined, parts: vendorModel(wanted, opened).getStreamedResponse(passed) };
      };
      const opened = await asOurs(() => streamWithProvider(wanted.provider, open, () => undefined));
      const reader = opened.parts.getReader();
      try {
        for (let part = await asOurs(() => reader.read()); !part.done; part = await asOurs(() => reader.read())) {
          yield part.value;
        }
      } finally {
        await reader.cancel().catch(() => {});
      }
    },
  };
}

/** Temporal's plugin wraps what a model throws in a failure of its own, which is retried whatever the reason was. */
async function asOurs<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw leavesUnwrapped(error);
  }
}

function vendorModel(wanted: WantedModel, opened: ProviderCall<LlmCredential>): WorkspaceAgentModel {
  const { credential, fetch } = opened;
  const { OpenAIChatCompletionsModel, OpenAIResponsesModel } = agentsOpenai();
  const client = new (openai().OpenAI)({
    apiKey: credential.apiKey,
    baseURL: openaiURLOf(credential),
    // `undefined` would be read from the environment, which is the platform's.
    organization: credential.organization ?? null,
    project: credential.project ?? null,
    fetch: modelAnswers(fetch),
    maxRetries: 0,
  });
  const modelId = wanted.idFor(credential);
  return protocolOf(credential.provider, credential) === 'responses'
    ? new OpenAIResponsesModel(client, modelId)
    : new OpenAIChatCompletionsModel(client, modelId);
}

/** Where the service speaks OpenAI's API, by the documentation of Anthropic and Gemini ("OpenAI compatibility"). */
function openaiURLOf(credential: LlmCredential): string {
  const { provider, baseURL } = credential;
  const protocol = protocolOf(provider, credential);
  if (protocol === 'anthropic') return withVersion(baseURL, '/v1');
  return protocol === 'gemini' ? `${withVersion(baseURL, '/v1beta')}/openai` : baseURL;
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
