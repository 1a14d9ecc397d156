/**
 * Parses the inputs of activities. TypeScript's types do not hold here: an input is JSON from a history, and a workflow
 * may pass on what its own caller sent.
 */
import { z } from 'zod';
import { ProviderError } from '../protocol/errors.js';
import { PROVIDER_NAME, PROVIDER_TYPE, WORKSPACE_ID } from '../protocol/names.js';
import type { ProviderReference } from '../protocol/references.js';
import type { Json } from '../protocol/steps.js';
import { FIELD_NAME } from '../providers/field-schema.js';
import { oneOf, word } from '../providers/fields.js';

/** The largest input, in characters of its JSON form. A history holds no larger one. */
const MAX_INPUT_CHARACTERS = 4 * 1024 * 1024;
/** Libraries walk inputs by recursion: a deeper one would exhaust their stack. */
const MAX_DEPTH = 64;
const MAX_VALUES = 200_000;

/**
 * @param activity - the name of the activity, for the message
 * @throws ProviderError `ProviderConfigInvalid` that names the fields, and never shows a value
 */
export function parseInput<Input>(activity: string, schema: z.ZodType<Input>, input: unknown): Input {
  if (!isBoundedJson(input)) {
    const rule = `must be JSON of at most 4 MiB, ${MAX_DEPTH} levels and ${MAX_VALUES} values`;
    throw ProviderError.configInvalid(`the input of ${activity}`, rule);
  }
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = new Map(parsed.error.issues.flatMap(problemsOf));
  const rules = [...problems].map(([field, rule]) => `${field} ${rule}`);
  throw new ProviderError('ProviderConfigInvalid', `${activity}: ${rules.join('; ')}`, {
    fields: [...problems.keys()],
  });
}

type Problem = readonly [field: string, rule: string];

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.map((part) => (isShown(part) ? String(part) : '…'));
  if (issue.code !== 'unrecognized_keys') return [[path.join('.') || 'the input', ruleOf(issue)]];
  return issue.keys.map((key) => [[...path, isShown(key) ? key : '…'].join('.'), 'is not a field of this input']);
}

function isShown(part: PropertyKey): boolean {
  return typeof part === 'number' || FIELD_NAME.test(String(part));
}

/** Only texts of schemas: zod's own text may repeat a value. */
function ruleOf({ code, message }: z.core.$ZodIssue): string {
  if (message.startsWith('must ')) return message;
  return code === 'too_big' ? 'is too long or too large' : 'is missing, or is not of the right form';
}

/** Whether a value is JSON within the limits. Walks without recursion. */
function isBoundedJson(input: unknown): boolean {
  let level: unknown[] = [input];
  let values = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    values += level.length;
    if (depth > MAX_DEPTH || values > MAX_VALUES || !level.every(isJsonValue)) return false;
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
  return (JSON.stringify(input) ?? '').length <= MAX_INPUT_CHARACTERS;
}

/** `undefined` is a field that is absent. */
function isJsonValue(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || Array.isArray(value) || isPlain(value);
    default:
      return false;
  }
}

/** Across realms: by the prototype of the prototype. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null);
}

// The parts of inputs.

export const workspaceId = word('must be 1 to 128 characters from A-Z a-z 0-9 _ . : -', WORKSPACE_ID);
export const providerName = word('must be 1 to 64 characters from a-z 0-9 _ . : -', PROVIDER_NAME);
export const providerType = word('must be 1 to 32 characters from a-z 0-9 -, starting with a letter', PROVIDER_TYPE);
export const version = whole(0);

export const identity = z.strictObject({
  workspaceId,
  type: providerType,
  name: providerName,
});

export function whole(min: number, max = 2_147_483_647) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export const chainId = whole(1, Number.MAX_SAFE_INTEGER);

/** Any JSON: `parseInput` has checked its form and size. */
export const json = z.custom<Json>((value) => value !== undefined, { error: 'must be JSON' });

/** More providers than a workspace needs. */
export const MAX_NAMES = 200;

const PREFERENCE_RULE = `must be a name (1 to 64 characters from a-z 0-9 _ . : -), or a list of 1 to ${MAX_NAMES} names in order of preference`;
export const preference = z.union([providerName, z.array(providerName).min(1).max(MAX_NAMES)], {
  error: PREFERENCE_RULE,
});

/** What inputs that name a provider have in common: `WantedProvider`. */
export const wanted = {
  workspaceId: workspaceId.optional(),
  atLeast: z.record(providerName, version, { error: 'must be an object of versions by provider name' }).optional(),
};

interface Named {
  readonly workspaceId?: unknown;
  readonly ref?: unknown;
}

export const SECOND_WORKSPACE = { error: 'must not be given with `ref`, which has one', path: ['workspaceId'] };

export const hasNoSecondWorkspace = ({ workspaceId, ref }: Named): boolean =>
  workspaceId === undefined || ref === undefined;

/** Whether one of two fields is given, and not both. */
export const isOneOf = (one: unknown, other: unknown): boolean => (one === undefined) !== (other === undefined);

/** A reference to a provider of that type. */
export function referenceTo<const Type extends string>(type: Type): z.ZodType<ProviderReference<Type>> {
  return z.strictObject({
    workspaceId,
    type: z.literal(type, { error: `must be ${type}: ref must be a reference to a provider of type ${type}` }),
    name: providerName,
    version,
    source: oneOf(['workspace', 'platform']),
    cache: oneOf(['hit', 'miss', 'joined']),
    shown: z.record(z.string(), z.union([z.string(), z.number()]), { error: 'must be an object of texts and numbers' }),
  });
}
