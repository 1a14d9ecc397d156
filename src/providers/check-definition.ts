/** Refuses a definition of a provider type that lacks something, when it is made and not when it is first used. */
import { ProviderError } from '../protocol/errors.js';
import { PROVIDER_TYPE } from '../protocol/names.js';
import type { FieldSchema } from './field-schema.js';

const FUNCTIONS = [
  ...['credential', 'shown', 'ownDestination', 'sentIn', 'hosts', 'paths', 'adaptFetch', 'fromEnvironment', 'probe'],
  ...['check', 'placeholder'],
] as const;
const MEMBERS: readonly string[] = [
  ...['type', 'variants', 'config', 'secret', 'primarySecret', 'destination', 'destinationField', 'failsOnRefusal'],
  ...['limits', 'answers', 'keyIssuer', 'revokeByHand', 'callerHeaders', ...FUNCTIONS],
];
const SCHEMA_RULE =
  'must be an object with a schema per field: of zod, Valibot, ArkType, or another library of the Standard Schema ' +
  'interface';

/** @throws ProviderError `SetupInvalid` that names the member */
export function checkDefinition(given: object): void {
  const definition = given as Readonly<Record<string, unknown>>;
  const { type, config, secret, primarySecret, destination, answers, probe, check, sentIn } = definition;
  if (typeof type !== 'string' || !PROVIDER_TYPE.test(type)) {
    throw bad('type', 'must be 1 to 32 characters from a-z 0-9 -, starting with a letter');
  }
  const unknown = Object.keys(given).find((member) => !MEMBERS.includes(member));
  if (unknown !== undefined) throw bad(unknown, `is not a member of a definition; it has ${MEMBERS.join(', ')}`, type);
  if (!areFields(secret) || Object.keys(secret).length === 0) throw bad('secret', SCHEMA_RULE, type);
  if (config !== undefined && typeof config !== 'function' && !areFields(config))
    throw bad('config', SCHEMA_RULE, type);
  if (primarySecret !== undefined && !Object.hasOwn(secret, String(primarySecret))) {
    throw bad('primarySecret', `must be one of ${Object.keys(secret).join(', ')}`, type);
  }
  if (typeof destination !== 'function') throw bad('destination', 'must be a function that returns an https URL', type);
  for (const member of FUNCTIONS) {
    const value = definition[member];
    if (value !== undefined && typeof value !== 'function') throw bad(member, 'must be a function', type);
  }
  if (answers !== undefined && typeof answers !== 'function' && !Array.isArray(answers)) {
    throw bad('answers', 'must be a list of rules, or a function', type);
  }
  if (probe && !sentIn && !check) throw bad('probe', 'needs sentIn, which says how the secret is sent', type);
  if (areFields(config)) checkNames(type, Object.keys(config), Object.keys(secret));
}

/** The CLI, the tests of users and the default credential take the fields of both together. */
function checkNames(type: string, config: readonly string[], secret: readonly string[]): void {
  const both = config.find((field) => secret.includes(field));
  if (both !== undefined) throw bad('config', `has the field ${both}, and so has secret: rename one of them`, type);
}

function areFields(value: unknown): value is Readonly<Record<string, FieldSchema>> {
  return (
    typeof value === 'object' && value !== null && !('~standard' in value) && Object.values(value).every(isFieldSchema)
  );
}

/** ArkType's schemas are functions. */
function isFieldSchema(value: unknown): value is FieldSchema {
  const isHolder = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isHolder && typeof (value as Partial<FieldSchema>)['~standard']?.validate === 'function';
}

function bad(member: string, rule: string, type?: string): ProviderError {
  return ProviderError.setupInvalid(member, `of the provider type${type === undefined ? '' : ` ${type}`} ${rule}`);
}
