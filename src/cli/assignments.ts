/**
 * `--set key=value`: parses public config from text into values that fit the type's schema. A secret field is refused
 * with the reason: every process of the machine has already seen its value. The message does not repeat it.
 */
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
  const misfits = issuesOf(provider.config(checkProviderName(name)), texts).map(({ path }) => path[0]);
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
