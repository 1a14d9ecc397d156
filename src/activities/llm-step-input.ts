/** What `llmStep` accepts. */
import { z } from 'zod';
import type { LlmStepInput } from '../protocol/llm-step.js';
import { oneOf, word } from '../providers/fields.js';
import { modelId } from '../providers/llm/llm-config.js';
import { llmOptionFields, providerOptions } from '../providers/llm/llm-options.js';
import {
  hasNoSecondWorkspace,
  isOneOf,
  json,
  preference,
  providerName,
  referenceTo,
  SECOND_WORKSPACE,
  wanted,
} from './parse-input.js';

const MAX_MESSAGES = 2_000;
const MAX_PARTS = 1_000;
const MAX_TOOLS = 512;
const MAX_FALLBACKS = 20;
const MAX_SCHEMA_CHARACTERS = 256 * 1024;

const ROLES = 'must be user, assistant or tool: a system prompt belongs in `system`';
const CONTENT = `must be a text, or a list of at most ${MAX_PARTS} parts`;
const OUTPUT = 'must be an object with the `type` text, json, error-text, error-json or content, and its `value`';
const TOOL_CHOICE = 'must be auto, none, required, or an object with the `toolName`';

const string = z.string({ error: 'must be a text' });
const flag = z.boolean({ error: 'must be true or false' }).optional();
const ofVendor = { providerOptions: providerOptions.optional() };
const toolName = word('must be 1 to 128 characters from A-Z a-z 0-9 _ . -', /^[A-Za-z0-9_.-]{1,128}$/);
const tool = {
  toolCallId: word('must be the id of a call, as the model gave it', /^[\x21-\x7e]{1,500}$/),
  toolName,
};

const text = z.strictObject({ type: z.literal('text'), text: string, ...ofVendor });
const file = z.strictObject({
  type: z.literal('file'),
  mediaType: word('must be a media type: image/png, application/pdf, …', /^[a-z]+\/[a-z0-9.+*-]{1,100}$/i),
  data: string,
  filename: string.max(255, { error: 'must have at most 255 characters' }).optional(),
  ...ofVendor,
});
const reasoning = z.strictObject({ type: z.literal('reasoning'), text: string, ...ofVendor });
const toolCall = z.strictObject({
  ...{ type: z.literal('tool-call'), ...tool, input: json, providerExecuted: flag },
  ...ofVendor,
});
const userParts = partsOf('must be text or file: an image is a file with its `mediaType`', [text, file]);
const toolResult = z.strictObject({
  type: z.literal('tool-result'),
  ...tool,
  output: z.discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.enum(['text', 'error-text']), value: string }),
      z.strictObject({ type: z.enum(['json', 'error-json']), value: json }),
      z.strictObject({ type: z.literal('content'), value: userParts }),
    ],
    { error: OUTPUT },
  ),
  ...ofVendor,
});

const message = z.discriminatedUnion(
  'role',
  [
    z.strictObject({ role: z.literal('user'), content: asParts(userParts), ...ofVendor }),
    z.strictObject({
      role: z.literal('assistant'),
      content: asParts(
        // biome-ignore format: one line a kind would say nothing
        partsOf('must be text, file, reasoning, tool-call or tool-result', [text, file, reasoning, toolCall, toolResult]),
      ),
      ...ofVendor,
    }),
    z.strictObject({ role: z.literal('tool'), content: partsOf('must be tool-result', [toolResult]), ...ofVendor }),
  ],
  { error: ROLES },
);

const fallback = z.union([providerName, referenceTo('llm')], {
  error: 'must be the name of an LLM provider, or a reference to one',
});

const fields = z.strictObject({
  ...wanted,
  provider: preference.optional(),
  ref: referenceTo('llm').optional(),
  fallbacks: list(fallback, MAX_FALLBACKS, 'names or references').optional(),
  model: z
    .union([modelId, z.record(providerName, modelId)], { error: 'must be a model id, or one per provider' })
    .optional(),
  system: string.optional(),
  prompt: string.optional(),
  messages: list(message, MAX_MESSAGES, 'messages').optional(),
  schema: jsonSchema().optional(),
  tools: list(
    z.strictObject({
      ...{ name: toolName, description: string.optional(), inputSchema: jsonSchema(), strict: flag },
      ...ofVendor,
    }),
    MAX_TOOLS,
    'tools',
  ).optional(),
  toolChoice: z
    .union([oneOf(['auto', 'none', 'required']), z.strictObject({ toolName })], { error: TOOL_CHOICE })
    .optional(),
  stream: flag,
  ...llmOptionFields,
});

export const llmStepInput = fields
  .refine(({ provider, ref }) => isOneOf(provider, ref), {
    error: 'must be given, or `ref`, and not both: the name of a provider, or a list of names in order of preference',
    path: ['provider'],
  })
  .refine(hasNoSecondWorkspace, SECOND_WORKSPACE)
  .refine(({ prompt, messages = [] }) => prompt !== undefined || messages.length > 0, {
    error: 'must be given, or `messages`: without them there is nothing to ask',
    path: ['prompt'],
  })
  .refine(isOfOneWorkspace, {
    error: 'must be names, or references of the same workspace as the provider',
    path: ['fallbacks'],
  }) as unknown as z.ZodType<LlmStepInput>;

/** Without a workspace of its own, the step is refused later if a reference is not of the grant's. */
function isOfOneWorkspace({ workspaceId, ref, fallbacks = [] }: z.output<typeof fields>): boolean {
  const references = [ref ?? { workspaceId }, ...fallbacks].filter((each) => typeof each !== 'string');
  return new Set(references.flatMap((each) => each.workspaceId ?? [])).size <= 1;
}

/** A text is a part of its own. So a wrong part is named by its place, and not only by its message. */
function asParts<Parts extends z.ZodType>(parts: Parts) {
  return z.preprocess((content) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content), parts);
}

function partsOf<const Parts extends readonly [PartSchema, ...PartSchema[]]>(rule: string, parts: Parts) {
  return z
    .array(z.discriminatedUnion('type', parts, { error: rule }), { error: CONTENT })
    .max(MAX_PARTS, { error: CONTENT });
}

type PartSchema = z.ZodObject<{ type: z.ZodLiteral } & z.core.$ZodShape>;

function jsonSchema() {
  const error = `must be a JSON schema, an object of at most ${MAX_SCHEMA_CHARACTERS} characters`;
  return z
    .record(z.string(), json, { error })
    .refine((schema) => JSON.stringify(schema).length <= MAX_SCHEMA_CHARACTERS, { error });
}

function list<Item extends z.ZodType>(item: Item, max: number, what: string) {
  const error = `must be a list of at most ${max} ${what}`;
  return z.array(item, { error }).max(max, { error });
}
