/**
 * `--set key=value`: parses public config from text into values that fit the type's schema. A secret field is refused
 * with the reason: every process of the machine has already seen its value. The message does not repeat it.
 */
import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { ProviderError } from '../protocol/errors.js';
import { checkProviderName } from '../protocol/names.js';
import { type AnyProviderType, providerType } from '../providers/registry.js';
import { parseJson } from '../redaction/parse-json.js';
import { UsageError } from './failure.js';

/**
 * @returns the config, not yet checked as a whole
 * @throws UsageError if it is not key=value; ProviderError `ProviderConfigInvalid` for a secret field or unknown type
 */
export function parseAssignments(type: string, name: string, assignments: readonly string[]): Record<string, unknown> {
  const provider = providerType(type);
  const texts = Object.fromEntries(assignments.map((assignment) => split(provider, assignment)));
  const schema = provider.config(checkProviderName(name));
  const issues = issuesOf(schema, texts);
  for (const issue of issues) if (issue.code === 'unrecognized_keys') throw unknownField(issue.keys, type, schema);
  const misfits = issues.map(({ path }) => path[0]);
  const converted = Object.entries(texts).map(([field, text]) => [
    field,
    misfits.includes(field) ? convert(text) : text,
  ]);
  return Object.fromEntries(converted);
}

function split(provider: AnyProviderType, assignment: string): [string, string] {
  const equals = assignment.indexOf('=');
  if (equals < 1) throw new UsageError('--set must be key=value');
  const field = assignment.slice(0, equals);
  if (isSecretField(provider, field)) {
    throw new ProviderError(
      'ProviderConfigInvalid',
      `${field} is a secret, and an argument does not stay secret: other users see it, shells keep it. ` +
        'Replace this secret, and pipe the new one to stdin or name a variable with --secret-env',
      { fields: [`secret.${field}`] },
    );
  }
  return [field, assignment.slice(equals + 1)];
}

/** What looks like the name of a field, and not like a key in the wrong place. */
const FIELD_NAME = /^[a-z][A-Za-z]{0,19}$/;

function unknownField([field = '']: readonly string[], type: string, schema: z.ZodType): ProviderError {
  const known = 'shape' in schema ? Object.keys(schema.shape as object) : [];
  const shown = FIELD_NAME.test(field) ? ` ${field}` : '';
  const near = known.find((name) => distance(name.toLowerCase(), field.toLowerCase()) <= 2);
  const hint = near === undefined ? `it takes ${known.join(', ')}` : `did you mean ${near}?`;
  return new ProviderError('ProviderConfigInvalid', `--set: ${type} has no field${shown}: ${hint}`, {
    fields: [shown ? `config.${field}` : 'config'],
  });
}

/** The schemas are strict: a field that the schema does not report as unknown is one of its fields. */
function isSecretField({ secret }: AnyProviderType, field: string): boolean {
  return !issuesOf(secret, { [field]: '' }).some((issue) => issue.code === 'unrecognized_keys');
}

function issuesOf(schema: z.ZodType, value: unknown): readonly z.core.$ZodIssue[] {
  return schema.safeParse(value).error?.issues ?? [];
}

/** A value that does not fit as text may fit as JSON: `1`, `true`, `["a"]`. */
function convert(text: string): unknown {
  return parseJson(text) ?? text;
}
