/**
 * Prepares a JSON schema for zod, which is stricter than JSON Schema: it takes only some versions of UUIDs, counts the
 * units of UTF-16, refuses whole numbers above 2^53, and relative references. An answer that JSON Schema allows was paid,
 * and asking again would not change it.
 */
import type { Json } from '../protocol/steps.js';

export type JsonSchema = { readonly [key: string]: Json };

/** What each of these formats allows at least. zod checks the others. */
const FORMATS: Readonly<Record<string, string>> = {
  uuid: '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$',
  guid: '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$',
  'date-time': '^\\d{4}-\\d\\d-\\d\\d[Tt ]\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?([Zz]|[+-]\\d\\d:?\\d\\d)?$',
  time: '^\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?([Zz]|[+-]\\d\\d:?\\d\\d)?$',
  email: '^[^@\\s]+@[^@\\s]+$|^".+"@[^@\\s]+$',
  uri: '^[A-Za-z][A-Za-z0-9+.-]*:\\S*$',
  'uri-reference': '^\\S*$',
};

/** A character, which may be two units of UTF-16. No text can be read by it in two ways. */
const CHARACTER = '(?:[\\uD800-\\uDBFF][\\uDC00-\\uDFFF]|(?![\\uD800-\\uDBFF][\\uDC00-\\uDFFF])[\\s\\S])';

const OF_SCHEMAS: ReadonlySet<string> = new Set(['$defs', 'definitions', 'properties', 'patternProperties']);
const SCHEMAS: ReadonlySet<string> = new Set([
  ...['items', 'prefixItems', 'additionalItems', 'additionalProperties', 'propertyNames', 'contains'],
  ...['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'unevaluatedProperties', 'unevaluatedItems'],
]);

/** The same schema, so that zod refuses nothing of what it allows in these respects. */
export function lenient(schema: JsonSchema): JsonSchema {
  const fields = Object.entries(schema).map(([name, value]): [string, Json] => {
    if (SCHEMAS.has(name)) return [name, within(value)];
    return [name, OF_SCHEMAS.has(name) && isSchema(value) ? mapped(value, within) : value];
  });
  const { format, minLength, maxLength, ...rest } = Object.fromEntries(fields) as Record<string, Json>;
  if (rest.type === 'integer') return { ...rest, type: 'number', multipleOf: rest.multipleOf ?? 1, ...others(rest) };
  if (rest.type !== 'string') return Object.fromEntries(fields);
  const known = typeof format === 'string' ? FORMATS[format] : undefined;
  const patterns = [known, lengthPattern(minLength, maxLength)].filter((each) => each !== undefined);
  const strict = patterns.map((pattern) => ({ type: 'string', pattern }));
  const all = Array.isArray(rest.allOf) ? (rest.allOf as Json[]) : [];
  return {
    ...rest,
    ...(format !== undefined && !known && { format }),
    ...(strict.length + all.length > 0 && { allOf: [...all, ...strict] }),
  };
}

/** A multiple of a fraction is not always a whole number. */
function others({ multipleOf, allOf }: Readonly<Record<string, Json>>): { readonly allOf?: Json } {
  if (multipleOf === undefined || Number.isInteger(multipleOf)) return {};
  return { allOf: [...(Array.isArray(allOf) ? (allOf as Json[]) : []), { type: 'number', multipleOf: 1 }] };
}

function lengthPattern(min: Json | undefined, max: Json | undefined): string | undefined {
  if (typeof min !== 'number' && typeof max !== 'number') return undefined;
  return `^${CHARACTER}{${typeof min === 'number' ? min : 0},${typeof max === 'number' ? max : ''}}$`;
}

function within(value: Json): Json {
  if (Array.isArray(value)) return (value as Json[]).map(within);
  return isSchema(value) ? lenient(value) : value;
}

function mapped(value: JsonSchema, map: (value: Json) => Json): JsonSchema {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, map(each)]));
}

function isSchema(value: Json): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
