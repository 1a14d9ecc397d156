/**
 * Objects from models. A schema is sent as the service takes it; if the service refuses that, JSON mode and the schema
 * in the prompt are tried, and then only the prompt. Whatever the model writes around the JSON is taken off.
 */
import type { Json } from '../protocol/steps.js';
import { STRUCTURED_OUTPUTS, type StructuredOutputs } from '../providers/llm/llm-config.js';
import { parseJson } from '../redaction/parse-json.js';
import type { JsonSchema } from './schema-check.js';

/** The ways to say a schema that are left, this one first. */
export function waysFrom(first: StructuredOutputs = 'schema'): readonly StructuredOutputs[] {
  return STRUCTURED_OUTPUTS.slice(STRUCTURED_OUTPUTS.indexOf(first));
}

/** The response format that a model of the AI SDK is called with. `undefined`: none. */
export function responseFormat(schema: JsonSchema, way: StructuredOutputs) {
  if (way === 'prompt') return undefined;
  return { type: 'json', ...(way === 'schema' && { schema }) } as const;
}

/** The system prompt, with the schema if it is not sent in another way. */
export function systemWithSchema(system: string | undefined, schema: JsonSchema, way: StructuredOutputs) {
  if (way === 'schema') return system;
  const instruction =
    'Answer only with JSON that matches the following JSON schema. Write no other text and no code fence.\n' +
    JSON.stringify(schema);
  return system === undefined ? instruction : `${system}\n\n${instruction}`;
}

/**
 * Whether OpenAI's strict mode takes the schema: each object lists all of its properties as required, and allows no
 * others. https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */
export function isStrict(schema: Json): boolean {
  if (typeof schema !== 'object' || schema === null) return true;
  if (Array.isArray(schema)) return schema.every(isStrict);
  const { properties, required, additionalProperties, ...rest } = schema as JsonSchema;
  const isObject = rest.type === 'object' || [rest.type].flat().includes('object') || properties !== undefined;
  const names = Object.keys((properties ?? {}) as JsonSchema);
  const listed = Array.isArray(required) ? required : [];
  if (isObject && (additionalProperties !== false || !names.every((name) => listed.includes(name)))) return false;
  if (Object.keys(rest).some((keyword) => NOT_STRICT.has(keyword))) return false;
  return [...Object.values((properties ?? {}) as JsonSchema), ...nestedIn(rest)].every(isStrict);
}

/** Keywords that strict mode refuses. */
const NOT_STRICT: ReadonlySet<string> = new Set([
  ...['allOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentRequired', 'dependentSchemas'],
  ...['patternProperties', 'propertyNames', 'unevaluatedProperties', 'contains', 'prefixItems', 'uniqueItems'],
]);

function nestedIn({ items, anyOf, $defs, definitions }: JsonSchema): Json[] {
  const named = [$defs, definitions].flatMap((each) => Object.values((each ?? {}) as JsonSchema));
  return [items ?? null, anyOf ?? null, ...named];
}

/** More would not be an answer with a little text around it. */
const MAX_CANDIDATES = 8;

/**
 * The values that the text may mean, the most likely first: all of it, what is in a code fence, what is between the
 * first and the last bracket. What a model thought aloud is left out.
 */
export function valuesIn(text: string): readonly { readonly value: unknown }[] {
  const said = text.replace(/^\s*<(think|thinking|reasoning)>[\s\S]*?<\/\1>/i, '').trim();
  const fenced = [...said.matchAll(/```[a-z0-9]*[ \t]*\r?\n?([\s\S]*?)```/gi)].map(([, inside = '']) => inside);
  const texts = [said, ...fenced.slice(0, MAX_CANDIDATES), between(said, '{', '}'), between(said, '[', ']')];
  const parsed = texts.map((each) => ({ value: parseJson(each.trim()) }));
  return parsed.filter(({ value }) => value !== undefined);
}

function between(text: string, first: string, last: string): string {
  return text.slice(text.indexOf(first), text.lastIndexOf(last) + 1);
}
