/**
 * The fields of a config or a secret, each with its schema. Schemas are of the Standard Schema interface
 * (https://standardschema.dev), which zod, Valibot and ArkType implement. The fields are a plain object, not a schema of
 * an object: so this package knows their names, refuses others in its own words, and reads one field without the rest.
 */
import { ProviderError } from '../protocol/errors.js';

/** The part of Standard Schema that is used here. A schema must be synchronous, and take what it has returned. */
export interface FieldSchema<Value = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => FieldResult<Value> | Promise<FieldResult<Value>>;
    readonly types?: { readonly input: unknown; readonly output: Value } | undefined;
  };
}

export type FieldResult<Value> =
  | { readonly value: Value; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** A schema per field. A field is optional if its schema accepts `undefined`. */
export type Fields<Values> = { readonly [Field in keyof Values]: FieldSchema<Values[Field]> };

export interface FieldProblem {
  /** `config.baseURL`. */
  readonly field: string;
  /** Follows the name of the field: `must be an https URL`. */
  readonly rule: string;
}

export type ParsedFields =
  | { readonly values: Readonly<Record<string, unknown>>; readonly problems?: undefined }
  | { readonly problems: readonly FieldProblem[] };

/** Checks an object that may be anything. The name of an unknown field is the caller's, so no problem contains it. */
export function parseFields(part: 'config' | 'secret', fields: Fields<Record<string, unknown>>, given: unknown) {
  const known = Object.keys(fields).join(', ') || 'no fields';
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return { problems: [{ field: part, rule: `must be an object with ${known}` }] } satisfies ParsedFields;
  }
  const problems: FieldProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(fields)) {
    const value = Object.hasOwn(given, name) ? (given as Record<string, unknown>)[name] : undefined;
    const result = validate(schema, value, `${part}.${name}`);
    if (result.issues) problems.push({ field: `${part}.${name}`, rule: ruleOf(result.issues[0]?.message, value) });
    else if (result.value !== undefined) values[name] = result.value;
  }
  if (Object.keys(given).some((name) => !Object.hasOwn(fields, name))) {
    problems.push({ field: part, rule: `has an unknown field; it takes ${known}` });
  }
  return (problems.length > 0 ? { problems } : { values }) satisfies ParsedFields;
}

/** Whether a field may be absent. */
export function isOptional(schema: FieldSchema): boolean {
  return !validate(schema, undefined, 'a field').issues;
}

/** Whether a value fits its field. */
export function fits(schema: FieldSchema, value: unknown): boolean {
  return !validate(schema, value, 'a field').issues;
}

function validate(schema: FieldSchema, value: unknown, field: string): FieldResult<unknown> {
  const result = schema['~standard'].validate(value);
  if (!(result instanceof Promise)) return result;
  result.catch(() => {});
  throw ProviderError.setupInvalid(`the schema of ${field}`, 'is asynchronous: a field needs a synchronous schema');
}

const NO_RULE = 'is missing, or is not of the right form';
/** Shorter texts are met in a rule by chance, and are not looked for in any other text either: docs/redaction.md. */
const MIN_QUOTED_CHARACTERS = 8;
/** A key of this form is the name of a field. Any other may be a secret. */
export const FIELD_NAME = /^[A-Za-z_]{1,40}$/;

/** A library's own text may repeat the value, which may be a key in the wrong field. */
function ruleOf(message: string | undefined, value: unknown): string {
  return message && !textsOf(value).some((text) => isRepeated(text, message)) ? message : NO_RULE;
}

/** A rule may name the host of a service, and the value may be just that. */
function isRepeated(text: string, message: string): boolean {
  if (text.length < MIN_QUOTED_CHARACTERS || !message.includes(text)) return false;
  return !URL.canParse(text) || new URL(text).origin !== text.replace(/\/$/, '');
}

function textsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return value === undefined ? [] : [String(value)];
  return Object.entries(value).flatMap(([key, member]) => [...(FIELD_NAME.test(key) ? [] : [key]), ...textsOf(member)]);
}
