/** The plainest value that a JSON schema allows: a stand-in's answer to a request for an object. */
import type { JsonSchema } from './wire-format.js';

/**
 * Supports what the SDKs send for structured output: objects, arrays, enums, constants, alternatives; also Gemini's
 * dialect, with types in capitals. It does not support references, patterns and bounds.
 */
export function sampleOf(schema: JsonSchema = { type: 'object' }): unknown {
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const [alternative] = list(schema.anyOf ?? schema.oneOf);
  if (alternative) return sampleOf(alternative);

  const type = String(Array.isArray(schema.type) ? schema.type[0] : schema.type).toLowerCase();
  switch (type) {
    case 'object':
      return Object.fromEntries(
        Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)
          .filter(([name]) => !Array.isArray(schema.required) || schema.required.includes(name))
          .map(([name, property]) => [name, sampleOf(property)]),
      );
    case 'array':
      return [sampleOf(schema.items as JsonSchema)];
    case 'string':
      return 'sample';
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    default:
      return null;
  }
}

function list(value: unknown): JsonSchema[] {
  return Array.isArray(value) ? value : [];
}
