/**
 * `--set key=value`: public config as text, made into what the type's schema takes. A secret field is refused with the
 * reason; its value was seen by every process of the machine already, and is not repeated here.
 */
import type { z } from 'zod';
import { ProviderError } from '../protocol/errors.js';
import { checkProviderName } from '../protocol/names.js';
import { type AnyProviderType, providerType } from '../providers/registry.js';
import { parseJson } from '../redaction/parse-json.js';
import { UsageError } from './failure.js';

/**
 * @returns config, not yet checked as a whole
 * @throws UsageError for what is no assignment; ProviderError `ProviderConfigInvalid` for a secret field, an unknown type
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
  if (equals < 1) throw new UsageError('--set takes key=value');
  const field = assignment.slice(0, equals);
  if (isSecretField(provider, field)) {
    throw new ProviderError(
      'ProviderConfigInvalid',
      `${field} is a secret, and arguments are no secrets: other users see them, shells keep them. ` +
        'Replace this one, and pipe the new one to stdin or name a variable with --secret-env',
      { fields: [`secret.${field}`] },
    );
  }
  return [field, assignment.slice(equals + 1)];
}

/** A schema is strict: what it does not complain of as unknown is a field of its own. */
function isSecretField({ secret }: AnyProviderType, field: string): boolean {
  return !issuesOf(secret, { [field]: '' }).some((issue) => issue.code === 'unrecognized_keys');
}

function issuesOf(schema: z.ZodType, value: unknown): readonly z.core.$ZodIssue[] {
  return schema.safeParse(value).error?.issues ?? [];
}

/** What does not fit as text may fit as the JSON value that it spells: `1`, `true`, `["a"]`. */
function convert(text: string): unknown {
  return parseJson(text) ?? text;
}
