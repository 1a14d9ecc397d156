/**
 * `--set key=value`: parses public config from text into values that fit the type's schema. A secret field is refused
 * with the reason: every process of the machine has already seen its value. The message does not repeat it.
 */
import { distance } from 'fastest-levenshtein';
import { ProviderError } from '../protocol/errors.js';
import { checkProviderName } from '../protocol/names.js';
import { type FieldSchema, fits } from '../providers/field-schema.js';
import type { AnyProviderType } from '../providers/type.js';
import { parseJson } from '../redaction/parse-json.js';
import { UsageError } from './failure.js';

/**
 * @returns the config, not yet checked as a whole
 * @throws UsageError if it is not key=value; ProviderError `ProviderConfigInvalid` for a secret field
 */
export function parseAssignments(
  type: AnyProviderType,
  name: string,
  assignments: readonly string[],
): Record<string, unknown> {
  const texts = assignments.map((assignment) => split(type, assignment));
  const fields: Readonly<Record<string, FieldSchema>> = type.config(checkProviderName(name));
  const converted = texts.map(([field, text]) => {
    const schema = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (!schema) throw unknownField(field, type.type, Object.keys(fields));
    return [field, fits(schema, text) ? text : convert(text)];
  });
  return Object.fromEntries(converted) as Record<string, unknown>;
}

function split(provider: AnyProviderType, assignment: string): [string, string] {
  const equals = assignment.indexOf('=');
  if (equals < 1) throw new UsageError('--set must be key=value');
  const field = assignment.slice(0, equals);
  if (Object.hasOwn(provider.secret, field)) {
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

function unknownField(field: string, type: string, known: readonly string[]): ProviderError {
  const shown = FIELD_NAME.test(field) ? ` ${field}` : '';
  const near = known.find((name) => distance(name.toLowerCase(), field.toLowerCase()) <= 2);
  const hint = near === undefined ? `it takes ${known.join(', ')}` : `did you mean ${near}?`;
  return new ProviderError('ProviderConfigInvalid', `--set: ${type} has no field${shown}: ${hint}`, {
    fields: [shown ? `config.${field}` : 'config'],
  });
}

/** A value that does not fit as text may fit as JSON: `1`, `true`, `["a"]`. */
function convert(text: string): unknown {
  return parseJson(text) ?? text;
}
