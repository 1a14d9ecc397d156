/**
 * What the vendors' own clients send with the `fetch` of `withProvider`, in a process whose whole environment is the
 * platform's: every variable that a client asks for is set.
 */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isReadByClients } from '../../src/config/client-variables.js';
import { createFetch, type HttpClient } from '../../src/egress/http-client.js';
import { aiSdkModel, type LlmCredential, viemTransport, withProvider } from '../../src/index.js';
import { resolverInContext } from '../../src/plugin/with-provider.js';
import type { ProviderCall } from '../../src/resolver/provider-call.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { inActivity } from '../activities/in-activity.js';
import { type ServiceRequest, startService } from '../providers/local-service.js';
import { resolverInMemory, WORKSPACE } from '../resolver/resolver-in-memory.js';
import { type PlantedEnvironment, plantEnvironment } from './planted-environment.js';

const KEY = 'canary-key-of-the-workspace-0001';
const ONCE = { maxRetries: 0 } as const;
const MODEL = 'a-model';
const PROMPT = [{ role: 'user', content: 'hi' } as const];
const REFUSAL = { status: 400, body: { error: { type: 'invalid_request_error', message: 'refused' } } };

const require = createRequire(import.meta.url);
/** Loaded by the tests, because some clients read the environment when they are loaded. */
const clients = {
  openai: () => require('openai') as typeof import('openai'),
  anthropic: () => require('@anthropic-ai/sdk') as typeof import('@anthropic-ai/sdk'),
  google: () => require('@google/genai') as typeof import('@google/genai'),
  aiOpenai: () => require('@ai-sdk/openai') as typeof import('@ai-sdk/openai'),
  aiAnthropic: () => require('@ai-sdk/anthropic') as typeof import('@ai-sdk/anthropic'),
  aiGoogle: () => require('@ai-sdk/google') as typeof import('@ai-sdk/google'),
  langchainOpenai: () => require('@langchain/openai') as typeof import('@langchain/openai'),
  langchainAnthropic: () => require('@langchain/anthropic') as typeof import('@langchain/anthropic'),
  viem: () => require('viem') as typeof import('viem'),
};

const memory = resolverInMemory();
let environment: PlantedEnvironment;
let http: HttpClient;
beforeAll(async () => {
  http = createFetch({ egress: LOOPBACK_POLICY });
  environment = await plantEnvironment();
});
afterAll(async () => {
  environment.restore();
  await http.close();
});
beforeEach(() => void environment.taken());

type LlmCall = ProviderCall<LlmCredential>;
type Ask = (call: LlmCall) => PromiseLike<unknown>;

const openaiSdk: Ask = ({ credential: { apiKey, baseURL }, fetch, signal }) =>
  new (clients.openai().OpenAI)({ apiKey, baseURL, fetch, ...ONCE }).responses.create(
    { model: MODEL, input: 'hi' },
    { signal },
  );

const azureSdk: Ask = ({ credential: { apiKey, baseURL }, fetch, signal }) =>
  new (clients.openai().AzureOpenAI)({
    apiKey,
    baseURL,
    apiVersion: '2024-10-21',
    fetch,
    ...ONCE,
  }).chat.completions.create({ model: MODEL, messages: PROMPT }, { signal });

const anthropicSdk: Ask = ({ credential: { apiKey, baseURL }, fetch, signal }) =>
  new (clients.anthropic().Anthropic)({ apiKey, baseURL, fetch, ...ONCE }).messages.create(
    { model: MODEL, max_tokens: 9, messages: PROMPT },
    { signal },
  );

const googleSdk: Ask = ({ credential: { apiKey, baseURL }, fetch, signal }) =>
  new (clients.google().GoogleGenAI)({ apiKey, httpOptions: { baseUrl: baseURL, fetch } }).models.generateContent({
    model: MODEL,
    contents: 'hi',
    config: { abortSignal: signal },
  });

async function generateText(options: Omit<Parameters<typeof import('ai').generateText>[0], 'prompt' | 'messages'>) {
  const ai = await import('ai');
  return ai.generateText({ ...options, prompt: 'hi', ...ONCE });
}

const aiSdk: Ask = ({ credential, fetch, signal }) =>
  generateText({ model: aiSdkModel(credential, MODEL, fetch), abortSignal: signal });

const chatOpenai: Ask = ({ credential: { apiKey, baseURL }, fetch, signal }) =>
  new (clients.langchainOpenai().ChatOpenAI)({
    model: MODEL,
    apiKey,
    configuration: { baseURL, fetch },
    ...ONCE,
  }).invoke('hi', { signal });

const chatAnthropic: Ask = ({ credential: { apiKey, baseURL }, fetch, signal }) =>
  new (clients.langchainAnthropic().ChatAnthropic)({
    model: MODEL,
    apiKey,
    anthropicApiUrl: baseURL,
    clientOptions: { fetch },
    ...ONCE,
  }).invoke('hi', { signal });

const inHeader = {
  bearer: { authorization: `Bearer ${KEY}` },
  xApiKey: { 'x-api-key': KEY },
  google: { 'x-goog-api-key': KEY },
  azure: { 'api-key': KEY },
};
/** A gateway of Anthropic's API may read either. */
const inEither = { ...inHeader.bearer, ...inHeader.xApiKey };

/** What may carry a credential, name an account, or route a request. */
const TELLING = /auth|key|token|cookie|org|project|team|account|workspace|forward|proxy|baggage|amz/;

function tellingHeaders({ headers }: ServiceRequest): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => TELLING.test(name)));
}

type FieldsAt = (url: string) => readonly [config: object, secret: object];

/** The workspace's own provider at a service that refuses what it is asked, and a worker that opens it. */
async function stage<Type extends 'llm' | 'rpc'>(type: Type, name: string, fieldsAt: FieldsAt) {
  const service = await startService(REFUSAL);
  await memory.store.put(WORKSPACE, type, name, ...fieldsAt(service.url));
  const resolver = memory.resolverWith({ fetch: http.fetch });
  const activity = inActivity({}, [() => ({ inbound: resolverInContext(resolver) })]);
  const reference = await resolver.resolveProvider({ workspaceId: WORKSPACE, type, name });
  /** Returns the one request. */
  const requestOf = async (run: () => Promise<unknown>): Promise<ServiceRequest> => {
    await expect(activity.run(run)).rejects.toMatchObject({ type: 'ProviderRequestInvalid' });
    const [request, ...others] = service.requests;
    expect(others).toEqual([]);
    return request as ServiceRequest;
  };
  return { reference, requestOf };
}

function expectNothingOfThePlatform(request: ServiceRequest): void {
  expect(environment.foundIn(JSON.stringify(request))).toEqual([]);
  const { sentAway, asked } = environment.taken();
  expect(sentAway).toEqual([]);
  expect(leftByHardening(asked)).toEqual([]);
}

/** Variables that say who calls, or where: Node's loaders ask for others. */
const TELLING_VARIABLE = /KEY|TOKEN|SECRET|PASS|CREDENTIAL|HEADERS|ORG|PROJECT|ACCOUNT|URL|BASE|ENDPOINT|HOST|PROXY/i;
/** Whether LangChain traces is the platform's own decision: traces go to LangSmith, and to no service of a workspace. */
const TRACES = /^LANG(CHAIN|SMITH)_/;

function leftByHardening(variables: readonly string[]): readonly string[] {
  return variables.filter((name) => TELLING_VARIABLE.test(name) && !isReadByClients(name) && !TRACES.test(name));
}

const llmAt = (name: string, config: object) =>
  stage('llm', name, (url) => [{ baseURL: `${url}${name === 'openai' ? '/v1' : ''}`, ...config }, { apiKey: KEY }]);

describe('with the fetch of withProvider, the service sees the credential of the workspace, and nothing of the platform', () => {
  test.each<[string, Ask, string, Readonly<Record<string, string>>, object?]>([
    ['openai', openaiSdk, 'openai', inHeader.bearer],
    ['AzureOpenAI of openai', azureSdk, 'azure', inHeader.azure, { keyHeader: 'api-key', apiVersion: '2024-10-21' }],
    ['@anthropic-ai/sdk', anthropicSdk, 'anthropic', inEither],
    ['@google/genai', googleSdk, 'gemini', inHeader.google],
    ['the AI SDK for OpenAI', aiSdk, 'openai', inHeader.bearer],
    ['the AI SDK for Anthropic', aiSdk, 'anthropic', inEither],
    ['the AI SDK for Gemini', aiSdk, 'gemini', inHeader.google],
    ['the AI SDK for a compatible service', aiSdk, 'groq', inHeader.bearer],
    ['ChatOpenAI of LangChain', chatOpenai, 'openai', inHeader.bearer],
    ['ChatAnthropic of LangChain', chatAnthropic, 'anthropic', inEither],
  ])('%s [G17]', async (_, ask, name, credential, config = {}) => {
    const { reference, requestOf } = await llmAt(name, config);
    const request = await requestOf(() => withProvider(reference, async (call) => ask(call)));
    expect(tellingHeaders(request)).toEqual(credential);
    expectNothingOfThePlatform(request);
  });

  test.each([
    ['openai', inHeader.bearer],
    ['anthropic', inEither],
    ['gemini', inHeader.bearer],
    ['groq', inHeader.bearer],
  ])('a model of workspace-providers/langchain for %s [G17]', async (name, credential) => {
    const { reference, requestOf } = await llmAt(name, {});
    const { workspaceChatModel } = await import('../../src/langchain.js');
    const model = () => workspaceChatModel(reference, { model: MODEL });
    const request = await requestOf(() => model().invoke('hi'));
    expect(tellingHeaders(request)).toEqual(credential);
    expectNothingOfThePlatform(request);
  });

  test('a provider with an organization and a project of the workspace [G17]', async () => {
    const own = { organization: 'org-of-the-workspace', project: 'proj_of_the_workspace' };
    const { reference, requestOf } = await llmAt('openai', own);
    const request = await requestOf(() => withProvider(reference, async (call) => openaiSdk(call)));
    expect(tellingHeaders(request)).toEqual({
      ...inHeader.bearer,
      'openai-organization': own.organization,
      'openai-project': own.project,
    });
    expectNothingOfThePlatform(request);
  });

  test.each<[string, (url: string) => object, string, object]>([
    ['in the path', (url) => ({ url: `${url}/v2/${KEY}` }), `/v2/${KEY}`, {}],
    ['in the query', (url) => ({ url: `${url}/?key=${KEY}` }), `/?key=${KEY}`, {}],
    ['in a header', (url) => ({ url: `${url}/rpc`, headers: { 'x-api-key': KEY } }), '/rpc', inHeader.xApiKey],
  ])('viem, with the key %s [G17]', async (_, secretAt, path, credential) => {
    const { reference, requestOf } = await stage('rpc', 'main', (url) => [{ chainId: 1 }, secretAt(url)]);
    const request = await requestOf(() =>
      withProvider(reference, async ({ credential: endpoint, fetch, signal }) =>
        clients
          .viem()
          .createPublicClient({ transport: viemTransport(endpoint, fetch, signal) })
          .getBlockNumber(),
      ),
    );
    expect(request.path).toBe(path);
    expect(tellingHeaders(request)).toEqual(credential);
    expectNothingOfThePlatform(request);
  });
});

describe('without it', () => {
  type Alone = (baseURL: string) => PromiseLike<unknown>;
  const apiKey = 'a-key-of-the-workspace';

  test.each<[string, Alone]>([
    ['openai', (baseURL) => new (clients.openai().OpenAI)({ apiKey, baseURL, ...ONCE }).models.list()],
    ['@anthropic-ai/sdk', (baseURL) => new (clients.anthropic().Anthropic)({ apiKey, baseURL, ...ONCE }).models.list()],
    ['@google/genai', () => new (clients.google().GoogleGenAI)({ apiKey }).models.list()],
    ['@ai-sdk/openai', () => generateText({ model: clients.aiOpenai().createOpenAI()(MODEL) })],
    ['@ai-sdk/anthropic', () => generateText({ model: clients.aiAnthropic().createAnthropic()(MODEL) })],
    [
      '@ai-sdk/google',
      (baseURL) => generateText({ model: clients.aiGoogle().createGoogleGenerativeAI({ baseURL })(MODEL) }),
    ],
    ['@langchain/openai', () => new (clients.langchainOpenai().ChatOpenAI)({ model: MODEL, ...ONCE }).invoke('hi')],
    [
      '@langchain/anthropic',
      () => new (clients.langchainAnthropic().ChatAnthropic)({ model: MODEL, ...ONCE }).invoke('hi'),
    ],
  ])('%s sends what it finds in the environment, which hardenProcess removes [G17]', async (_, ask) => {
    const service = await startService(REFUSAL);
    await Promise.resolve(ask(service.url)).catch(() => {});
    const { sentAway, asked } = environment.taken();
    const sent = environment.foundIn([...sentAway, JSON.stringify(service.requests)].join());
    expect(sent).not.toEqual([]);
    expect(sent.filter((name) => !isReadByClients(name))).toEqual([]);
    expect(leftByHardening(asked)).toEqual([]);
  });
});
