/** The public config of a language-model provider: where its service is, and how the service is spoken to. */
import { z } from 'zod';
import { ProviderError } from '../../protocol/errors.js';
import type { LlmOptions } from '../../protocol/llm-step.js';
import type { Fields } from '../field-schema.js';
import { id, oneOf, restrictedURL, serviceURL, word } from '../fields.js';
import { llmOptionFields } from './llm-options.js';
import { GEMINI_MODEL, GEMINI_MODEL_RULE, KEY_HEADERS, type KeyHeader, vendorOf } from './vendors.js';

/** The APIs of language models that this package calls. */
export type LlmProtocol = 'chat-completions' | 'responses' | 'anthropic' | 'gemini';

const LLM_PROTOCOLS = [
  'chat-completions',
  'responses',
  'anthropic',
  'gemini',
] as const satisfies readonly LlmProtocol[];

/** How a schema reaches the model: sent as a schema; JSON mode and the schema in the prompt; only the prompt. */
export type StructuredOutputs = 'schema' | 'json' | 'prompt';

/** In the order in which they are tried. */
export const STRUCTURED_OUTPUTS = ['schema', 'json', 'prompt'] as const satisfies readonly StructuredOutputs[];

/** How a service is spoken to, if that differs from what its name implies. */
export interface LlmDialect {
  /** Default: by the name. `anthropic` and `gemini` their own, `openai` `responses`, any other `chat-completions`. */
  readonly protocol?: LlmProtocol;
  /** The value of the query parameter `api-version`, for Azure. */
  readonly apiVersion?: string;
  /** Default: that of the protocol. */
  readonly keyHeader?: KeyHeader;
  /** Further headers of each call. They are public, and part of the destination: a gateway may forward by a header. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The name of the field that limits the answer. Default: what the service's package of the AI SDK sends. */
  readonly tokenParameter?: 'max_tokens' | 'max_completion_tokens';
  /** Fields that are left out of the body, because the service refuses them: `temperature`, `stream_options`. */
  readonly omitParameters?: readonly string[];
  /** Default: `schema`, and what the service refuses is said another way, at the cost of a refused call. */
  readonly structuredOutputs?: StructuredOutputs;
  /** Whether steps stream unless they say otherwise. Default: false. */
  readonly stream?: boolean;
  /** Options for steps that do not give them. */
  readonly defaultOptions?: LlmOptions;
}

export interface LlmConfig extends LlmDialect {
  /** The base URL of the API. Required for compatible services. Default: the vendor's. */
  readonly baseURL?: string;
  /** The model for steps that do not name one. */
  readonly model?: string;
  /** OpenAI only. */
  readonly organization?: string;
  /** OpenAI only. */
  readonly project?: string;
}

export const modelId = word('must be a model id: 1 to 200 printable characters without spaces', /^[\x21-\x7e]{1,200}$/);

const MAX_HEADERS = 10;
/** All of them are in the header of the sealed credential, which must stay small. */
const MAX_HEADER_CHARACTERS = 1_500;
const HEADER_NAME = /^[a-z][a-z0-9-]{0,63}$/;
/** Without spaces, quotes and backslashes, so that a destination stays one text in every language. */
const HEADER_VALUE = /^[!#-[\]-~]{1,500}$/;
const HEADERS_RULE =
  `must be at most ${MAX_HEADERS} headers with names in lower case and values of printable ASCII without spaces, quotes ` +
  `and backslashes, ${MAX_HEADER_CHARACTERS} characters in all. Headers that HTTP itself sets, that route a request or ` +
  'that carry a credential are not accepted: a key belongs in the secret';
const REFUSED_HEADERS: readonly RegExp[] = [
  /^(host|connection|keep-alive|te|trailer|upgrade|expect|date|via|forwarded|accept|origin|range|priority)$/,
  /^(content|accept|transfer|http2|proxy|sec|x-forwarded|x-original|x-rewrite|x-http|x-real|access-control)-/,
  /auth|apikey|(^|-)(keys?|tokens?|secrets?|passw\w+|credentials?|cookies?|signature|jwt|bearer)(-|$)/,
];
/** What looks like a credential: it is not public, and has a header of its own. */
const CREDENTIAL_VALUE = /^(bearer|basic|sk-|pk-|ey[A-Za-z0-9]{10})/i;
const PARAMETER = /^[a-z][a-z0-9_]{0,63}$/i;
const MAX_OMITTED = 20;
const OMIT_RULE = `must be a list of at most ${MAX_OMITTED} names of fields. The model and its input cannot be left out`;
const NOT_OMITTED: ReadonlySet<string> = new Set(['model', 'messages', 'input', 'contents', 'stream']);
const DEFAULT_OPTIONS_RULE = `must be an object with fields of ${Object.keys(llmOptionFields).join(', ')}`;
const MAX_DEFAULT_OPTIONS_CHARACTERS = 4_096;

const headers = z
  .record(z.string(), z.string({ error: HEADERS_RULE }), { error: HEADERS_RULE })
  .refine(areHeaders, { error: HEADERS_RULE });

const dialect = {
  apiVersion: word('must be a version of an API: 1 to 40 of A-Z a-z 0-9 . -', /^[A-Za-z0-9.-]{1,40}$/).optional(),
  keyHeader: oneOf(KEY_HEADERS).optional(),
  headers: headers.optional(),
  tokenParameter: oneOf(['max_tokens', 'max_completion_tokens']).optional(),
  omitParameters: z
    .array(z.string({ error: OMIT_RULE }), { error: OMIT_RULE })
    .refine((names) => names.length <= MAX_OMITTED && names.every(mayBeOmitted), { error: OMIT_RULE })
    .optional(),
  structuredOutputs: oneOf(STRUCTURED_OUTPUTS).optional(),
  stream: z.boolean({ error: 'must be true or false' }).optional(),
  defaultOptions: defaultOptions().optional(),
};

const baseURL = serviceURL().optional();
const model = modelId.optional();
const known = { baseURL, model, ...dialect };
const openai = {
  baseURL: serviceURL()
    .refine((value) => value !== 'https://api.openai.com', {
      error: 'must end with the version of the API: https://api.openai.com/v1',
    })
    .optional(),
  model,
  organization: id.optional(),
  project: id.optional(),
  protocol: oneOf(['responses', 'chat-completions']).optional(),
  ...dialect,
};
const gemini = {
  ...known,
  model: modelId.regex(GEMINI_MODEL, { error: GEMINI_MODEL_RULE }).optional(),
};
const compatible = {
  baseURL: restrictedURL('is required for a name other than anthropic, openai and gemini, and'),
  model,
  protocol: oneOf(LLM_PROTOCOLS).optional(),
  ...dialect,
};

/** The fields of the config of a provider of that name. */
export function llmConfig(name: string): Fields<LlmConfig> {
  if (name === 'openai') return openai;
  if (name === 'gemini') return gemini;
  return vendorOf(name) ? known : compatible;
}

/** @throws ProviderError `ProviderConfigInvalid` for a model that leads to another path in the API that is spoken */
export function checkedConfig(name: string, config: LlmConfig): LlmConfig {
  if (protocolOf(name, config) !== 'gemini' || config.model === undefined || GEMINI_MODEL.test(config.model))
    return config;
  throw ProviderError.configInvalid('config.model', GEMINI_MODEL_RULE);
}

/** The API that a service of that name and config speaks. */
export function protocolOf(name: string, { protocol }: LlmDialect): LlmProtocol {
  if (protocol) return protocol;
  if (name === 'anthropic' || name === 'gemini') return name;
  return name === 'openai' ? 'responses' : 'chat-completions';
}

/** A rule of its own: the registry names only the field at the top. */
function defaultOptions(): z.ZodType<LlmOptions> {
  const schema = z.strictObject(llmOptionFields);
  return z.custom<LlmOptions>().check(({ value, issues }) => {
    const [issue] = schema.safeParse(value).error?.issues ?? [];
    const isLong = !issue && JSON.stringify(value).length > MAX_DEFAULT_OPTIONS_CHARACTERS;
    if (!issue && !isLong) return;
    const field = issue?.path[0] === undefined ? '' : `${String(issue.path[0])} `;
    const rule = field ? `${field}${issue?.message}` : DEFAULT_OPTIONS_RULE;
    issues.push({
      code: 'custom',
      message: isLong
        ? `must have at most ${MAX_DEFAULT_OPTIONS_CHARACTERS} characters`
        : `.${rule}`.replace(/^\.must/, 'must'),
      input: value,
    });
  });
}

function areHeaders(value: Readonly<Record<string, string>>): boolean {
  const all = Object.entries(value);
  return (
    all.length <= MAX_HEADERS &&
    all.reduce((characters, pair) => characters + pair.join('').length, 0) <= MAX_HEADER_CHARACTERS &&
    all.every(([name]) => HEADER_NAME.test(name) && !REFUSED_HEADERS.some((refused) => refused.test(name))) &&
    all.every(([, text]) => HEADER_VALUE.test(text) && !CREDENTIAL_VALUE.test(text))
  );
}

function mayBeOmitted(name: string): boolean {
  return PARAMETER.test(name) && !NOT_OMITTED.has(name);
}
