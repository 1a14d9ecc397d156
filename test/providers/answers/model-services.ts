/**
 * Services of language models, as far as their pages document what differs: the envelope of their lists, fields and
 * forms of an answer, and how they refuse. Each source is named beside its rules in `src/providers/answers/rules/`.
 */
import type { ServiceReply } from '../local-service.js';
import { error, google, reason } from './kinds.js';
import {
  azure,
  first,
  jsonModeNeedsTheWord,
  maxTokens,
  mistral,
  notStrict,
  onlyJsonMode,
  type Refuses,
  refusing,
} from './service-quirks.js';

export interface ModelService {
  readonly title: string;
  /** The provider's name, which decides the API that is spoken, unless the config does. */
  readonly name: string;
  /** The config beside base URL and model: how this service must be spoken to. Default: nothing. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The path below the host under which the service has its API. */
  readonly path?: string;
  /** The body of its list of models. Absent if it has none. */
  readonly models?: unknown;
  /** The answer to a call that asks for text or for an object. Default: that of chat completions. */
  readonly answer?: (text: string, isCut: boolean) => object;
  /** What the service refuses in a good request. Default: nothing. */
  readonly refuses?: Refuses;
  readonly refusedKey: ServiceReply;
  readonly outOfCredit: ServiceReply;
  readonly rateLimit: ServiceReply;
}

const list = { object: 'list', data: [{ id: 'a-model', object: 'model' }] };
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

const chat =
  (more: object = {}, message: object = {}, finished = 'stop') =>
  (text: string, isCut: boolean) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_790_000_000,
    model: 'a-model',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, ...message },
        finish_reason: isCut ? 'length' : finished,
      },
    ],
    usage,
    ...more,
  });

const invalidKey = { status: 401, body: error({ type: 'invalid_request_error', code: 'invalid_api_key' }) };
const limited = (headers: Record<string, string> = {}, fields: object = {}): ServiceReply => ({
  status: 429,
  headers,
  body: error({ type: 'requests', code: 'rate_limit_exceeded', ...fields }),
});

const openAiAnswer = (text: string, isCut: boolean) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1_790_000_000,
  status: isCut ? 'incomplete' : 'completed',
  error: null,
  incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
  model: 'a-model',
  output: [
    {
      type: 'message',
      id: 'msg_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
    },
  ],
  usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
});

const anthropicAnswer = (text: string, isCut: boolean) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'a-model',
  content: [{ type: 'text', text }],
  stop_reason: isCut ? 'max_tokens' : 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 2 },
});

const geminiAnswer = (text: string, isCut: boolean) => ({
  candidates: [
    { content: { role: 'model', parts: [{ text }] }, finishReason: isCut ? 'MAX_TOKENS' : 'STOP', index: 0 },
  ],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
});

const anthropicError = (status: number, type: string, message = 'x'): ServiceReply => ({
  status,
  body: { type: 'error', error: { type, message }, request_id: 'req_1' },
});

export const MODEL_SERVICES: readonly ModelService[] = [
  {
    title: 'OpenAI',
    name: 'openai',
    refuses: first(notStrict, jsonModeNeedsTheWord),
    models: list,
    answer: openAiAnswer,
    refusedKey: invalidKey,
    outOfCredit: { status: 429, body: error({ type: 'insufficient_quota', code: 'insufficient_quota' }) },
    rateLimit: limited({}, { message: 'Rate limit reached. Please try again in 1.2s.' }),
  },
  {
    title: 'Anthropic',
    name: 'anthropic',
    models: { data: [{ type: 'model', id: 'a-model' }], has_more: false },
    answer: anthropicAnswer,
    refusedKey: anthropicError(401, 'authentication_error', 'invalid x-api-key'),
    outOfCredit: anthropicError(400, 'invalid_request_error', 'You have reached your specified API usage limits.'),
    rateLimit: { ...anthropicError(429, 'rate_limit_error'), headers: { 'retry-after': '7' } },
  },
  {
    title: 'Gemini',
    name: 'gemini',
    models: { models: [{ name: 'models/a-model' }] },
    answer: geminiAnswer,
    refusedKey: { status: 400, body: google(400, 'INVALID_ARGUMENT', 'API key not valid.', reason('API_KEY_INVALID')) },
    outOfCredit: { status: 429, body: google(429, 'RESOURCE_EXHAUSTED', 'Your prepayment credits are depleted.') },
    rateLimit: { status: 429, body: google(429, 'RESOURCE_EXHAUSTED', 'slow', { retryDelay: '34s' }) },
  },
  {
    title: 'Gemini, by its API of OpenAI',
    name: 'gemini-compatible',
    models: list,
    refusedKey: { status: 400, body: [google(400, 'INVALID_ARGUMENT', 'x', reason('API_KEY_INVALID'))] },
    outOfCredit: { status: 429, body: [google(429, 'RESOURCE_EXHAUSTED', 'Your prepayment credits are depleted.')] },
    rateLimit: { status: 429, body: [google(429, 'RESOURCE_EXHAUSTED', 'slow', { retryDelay: '34s' })] },
  },
  {
    title: 'Azure OpenAI, by deployment',
    name: 'azure',
    path: '/openai/deployments/gpt',
    config: { apiVersion: '2024-10-21', keyHeader: 'api-key', tokenParameter: 'max_completion_tokens' },
    refuses: first(azure, maxTokens, notStrict),
    answer: chat({ prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }] }),
    refusedKey: { status: 401, body: error({ code: '401', message: 'Access denied due to invalid subscription key' }) },
    outOfCredit: { status: 429, body: error({ code: 'insufficient_quota' }) },
    rateLimit: limited({ 'retry-after-ms': '1500', 'retry-after': '2' }, { code: '429' }),
  },
  {
    title: 'Azure OpenAI, version 1',
    name: 'azure-v1',
    path: '/openai/v1',
    config: { protocol: 'responses' },
    models: list,
    answer: openAiAnswer,
    refuses: notStrict,
    refusedKey: { status: 401, body: error({ code: '401', message: 'Access denied due to invalid subscription key' }) },
    outOfCredit: { status: 429, body: error({ code: 'insufficient_quota' }) },
    rateLimit: limited({ 'retry-after-ms': '1500', 'retry-after': '2' }, { code: '429' }),
  },
  {
    title: 'Amazon Bedrock',
    name: 'bedrock',
    path: '/openai/v1',
    models: list,
    refusedKey: { status: 403, body: { Message: 'Authentication failed: Please make sure your API Key is valid.' } },
    outOfCredit: { status: 402, body: { message: 'x' } },
    rateLimit: { status: 429, headers: { 'x-amzn-errortype': 'ThrottlingException' }, body: { message: 'slow' } },
  },
  {
    title: 'Vertex AI',
    name: 'vertex',
    path: '/v1/projects/p/locations/global/endpoints/openapi',
    refusedKey: { status: 401, body: [google(401, 'UNAUTHENTICATED', 'x', reason('ACCESS_TOKEN_EXPIRED'))] },
    outOfCredit: { status: 403, body: [google(403, 'PERMISSION_DENIED', 'x', reason('BILLING_DISABLED'))] },
    rateLimit: {
      status: 429,
      body: [google(429, 'RESOURCE_EXHAUSTED', 'Resource exhausted. Please try again later.')],
    },
  },
  {
    title: 'OpenRouter',
    name: 'openrouter',
    config: { headers: { 'http-referer': 'https://acme.example', 'x-title': 'Acme' } },
    refuses: ({ headers }) => (headers['x-title'] === 'Acme' ? undefined : { status: 400, body: error({}) }),
    models: { data: [{ id: 'a/model', pricing: {} }] },
    answer: chat({ provider: 'X' }, { refusal: null, reasoning: null }),
    refusedKey: { status: 401, body: error({ code: 401, message: 'No auth credentials found' }) },
    outOfCredit: { status: 200, body: { ...error({ code: 402, message: 'Insufficient credits' }) } },
    rateLimit: { status: 429, body: error({ code: 429, message: 'Rate limit exceeded: free-models-per-min.' }) },
  },
  {
    title: 'Groq',
    name: 'groq',
    refuses: refusing('"json_schema"', 400, {
      error: { message: 'This model does not support response format `json_schema`.', type: 'invalid_request_error' },
    }),
    models: list,
    answer: chat({ x_groq: { id: 'req_1' }, usage: { ...usage, queue_time: 0.1 } }),
    refusedKey: invalidKey,
    outOfCredit: { status: 400, body: error({ type: 'invalid_request_error', code: 'blocked_api_access' }) },
    rateLimit: limited({}, { message: 'Rate limit reached. Please try again in 7m26.4s.' }),
  },
  {
    title: 'Mistral',
    name: 'mistral',
    config: { omitParameters: ['seed', 'stream_options'] },
    refuses: mistral,
    models: list,
    refusedKey: { status: 401, body: { message: 'Unauthorized', request_id: '1' } },
    outOfCredit: { status: 402, body: { message: 'x' } },
    rateLimit: { status: 429, body: { object: 'error', message: 'Requests rate limit exceeded', code: '1300' } },
  },
  {
    title: 'DeepSeek',
    name: 'deepseek',
    models: list,
    answer: chat({}, { reasoning_content: 'thinking' }),
    refuses: first(onlyJsonMode, jsonModeNeedsTheWord),
    refusedKey: { status: 401, body: error({ type: 'authentication_error', code: 'invalid_request_error' }) },
    outOfCredit: { status: 402, body: error({ message: 'Insufficient Balance', code: 'invalid_request_error' }) },
    rateLimit: limited(),
  },
  {
    title: 'xAI',
    name: 'xai',
    config: { omitParameters: ['stop'] },
    refuses: refusing('"stop"', 400, { code: 'invalid-argument', error: 'Argument not supported on this model: stop' }),
    models: list,
    refusedKey: { status: 400, body: { code: 'invalid-argument', error: 'Incorrect API key provided: st***ef.' } },
    outOfCredit: {
      status: 429,
      body: {
        code: 'x',
        error: 'Your team has either used all available credits or reached its monthly spending limit.',
      },
    },
    rateLimit: { status: 429, body: { code: 'Some resource has been exhausted', error: 'Too many requests' } },
  },
  {
    title: 'Together',
    name: 'together',
    models: [{ id: 'a-model', object: 'model' }],
    answer: chat({ prompt: [] }, { tool_calls: [] }, 'eos'),
    refusedKey: invalidKey,
    outOfCredit: { status: 402, body: error({ type: 'credit_limit' }) },
    rateLimit: limited({ 'retry-after': '3' }),
  },
  {
    title: 'vLLM',
    name: 'vllm',
    refuses: refusing('"json_schema"', 400, {
      ...{ object: 'error', message: 'The provided JSON schema contains features not supported by xgrammar.' },
      ...{ type: 'BadRequestError', code: 400 },
    }),
    models: list,
    answer: chat({ prompt_logprobs: null }, { reasoning_content: null }),
    refusedKey: { status: 401, body: { error: 'Unauthorized' } },
    outOfCredit: { status: 402, body: '' },
    rateLimit: { status: 503, body: { object: 'error', message: 'x', type: 'ServiceUnavailableError', code: 503 } },
  },
  {
    title: 'Ollama',
    name: 'ollama',
    models: { object: 'list', data: null },
    answer: chat({ system_fingerprint: 'fp_ollama' }),
    refusedKey: { status: 401, body: 'unauthorized' },
    outOfCredit: { status: 402, body: '' },
    rateLimit: { status: 503, body: { error: { message: 'server busy, please try again.', type: 'api_error' } } },
  },
  {
    title: 'LiteLLM',
    name: 'litellm',
    models: list,
    refusedKey: { status: 401, body: error({ type: 'token_not_found_in_db', code: '401' }) },
    outOfCredit: { status: 400, body: error({ type: 'budget_exceeded', code: '400' }) },
    rateLimit: limited({ 'retry-after': '60' }, { type: 'throttling_error', code: '429' }),
  },
  {
    title: 'Qwen of Alibaba Cloud, a thinking model',
    name: 'qwen',
    path: '/compatible-mode/v1',
    config: { stream: true },
    models: list,
    refuses: ({ method, body }) =>
      method === 'GET' || body.includes('"stream":true')
        ? undefined
        : {
            status: 400,
            body: error({ message: 'This model only support stream mode, please enable the stream parameter' }),
          },
    refusedKey: { status: 401, body: error({ code: 'invalid_api_key', message: 'Incorrect API key provided.' }) },
    outOfCredit: { status: 400, body: error({ code: 'Arrearage', message: 'Access denied' }) },
    rateLimit: limited({}, { code: 'limit_requests' }),
  },
  {
    title: 'Z.ai, by its API of Anthropic',
    name: 'zai',
    path: '/api/anthropic',
    config: { protocol: 'anthropic' },
    models: { data: [{ type: 'model', id: 'a-model' }], has_more: false },
    answer: anthropicAnswer,
    refusedKey: { status: 401, body: { type: 'error', error: { type: '1000', message: 'Authentication Failed' } } },
    outOfCredit: { status: 429, body: { type: 'error', error: { type: '1113', message: 'Insufficient balance' } } },
    rateLimit: { status: 429, body: { type: 'error', error: { type: '1302', message: 'High concurrency usage' } } },
  },
  {
    title: 'a gateway of OpenAI models',
    name: 'gateway',
    config: { tokenParameter: 'max_completion_tokens', omitParameters: ['temperature'] },
    models: list,
    refuses: first(
      maxTokens,
      refusing('"temperature"', 400, error({ message: "Unsupported value: 'temperature'", param: 'temperature' })),
    ),
    refusedKey: invalidKey,
    outOfCredit: { status: 402, body: error({}) },
    rateLimit: limited({ 'retry-after': '3' }),
  },
];

export const DEFAULT_ANSWER = chat();
