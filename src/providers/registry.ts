/**
 * The provider types, and the only way from stored data to a credential. To add a type: add a folder, and a line here.
 */
import { z } from 'zod';
import type { EgressPolicy } from '../egress/policy.js';
import { egressRuleOf } from '../egress/refusal.js';
import { ProviderError } from '../protocol/errors.js';
import { checkProviderName } from '../protocol/names.js';
import { type LlmCredential, llm } from './llm/llm.js';
import { type LlmAdminCredential, llmAdmin } from './llm/llm-admin.js';
import { type RpcCredential, rpc } from './rpc/rpc.js';
import { type TenderlyCredential, tenderly } from './tenderly/tenderly.js';
import type { KeyIssuer, ProviderType } from './type.js';

/** The credential that a step works with, by provider type. */
export interface ProviderCredentials {
  readonly llm: LlmCredential;
  readonly tenderly: TenderlyCredential;
  readonly rpc: RpcCredential;
}

/** A type that steps may open. */
export type StepProviderType = keyof ProviderCredentials;

/** The types that steps may open. No other type is opened by a resolver, whatever a reference says. */
export const STEP_PROVIDER_TYPES = ['llm', 'tenderly', 'rpc'] as const satisfies readonly StepProviderType[];

interface AllCredentials extends ProviderCredentials {
  readonly 'llm-admin': LlmAdminCredential;
}

type ProviderTypeName = keyof AllCredentials;

export const providerTypes = { llm, tenderly, rpc, 'llm-admin': llmAdmin } satisfies {
  [Type in ProviderTypeName]: { credential(...parsed: never[]): AllCredentials[Type] };
};

export function isStepType(type: string): type is StepProviderType {
  return (STEP_PROVIDER_TYPES as readonly string[]).includes(type);
}

/** @throws ProviderError `ProviderConfigInvalid` for a type that only rotations and checks open, or an unknown one */
export function checkStepType(type: string): StepProviderType {
  if (isStepType(type)) return type;
  throw ProviderError.configInvalid('type', `must be one of ${STEP_PROVIDER_TYPES.join(', ')}: steps open no others`);
}

/** A provider whose config and secret fit its type. `secret` is plaintext: seal it or drop it. */
export interface ParsedProvider<Credential = unknown> {
  readonly config: unknown;
  readonly secret: Readonly<Record<string, unknown>>;
  readonly credential: Credential;
  readonly shown: Readonly<Record<string, string | number>>;
  /** Where `config` sends the secret. It is sealed with the secret. */
  readonly destination: string;
  /** Where the secret is sent: the URL first. It may contain the secret. */
  readonly sentTo: readonly string[];
}

/** A provider type without its TypeScript types: its schemas check what it receives. */
export type AnyProviderType = ProviderType<unknown, Record<string, unknown>, unknown>;

/** A key issuer without its TypeScript types: pass it only what `parseProvider` returned for the two providers. */
export type AnyKeyIssuer = KeyIssuer<Record<string, unknown>>;

/** @throws ProviderError `ProviderConfigInvalid` for an unknown type; the message lists the known ones */
export function providerType(type: string): AnyProviderType {
  if (Object.hasOwn(providerTypes, type)) {
    return providerTypes[type as ProviderTypeName] as unknown as AnyProviderType;
  }
  const known = Object.keys(providerTypes).join(', ');
  throw new ProviderError('ProviderConfigInvalid', `type must be one of ${known}`, { fields: ['type'] });
}

/**
 * Returns what creates and revokes the keys of the provider. `undefined` if that must be done by hand.
 *
 * @throws ProviderError `ProviderConfigInvalid` for an unknown type
 */
export function keyIssuerOf(type: string, name: string): AnyKeyIssuer | undefined {
  return providerType(type).keyIssuer?.(name);
}

/**
 * Checks config and secret against their type, and makes the credential.
 *
 * @throws ProviderError `ProviderConfigInvalid`; its `fields` and message name what does not fit, never a value
 */
export function parseProvider<Type extends ProviderTypeName>(
  type: Type,
  name: string,
  config: unknown,
  secret: unknown,
): ParsedProvider<AllCredentials[Type]>;
export function parseProvider(type: string, name: string, config: unknown, secret: unknown): ParsedProvider;
export function parseProvider(type: string, name: string, config: unknown, secret: unknown): ParsedProvider {
  const provider = providerType(type);
  checkProviderName(name);
  const configSchema = provider.config(name);
  const parsedConfig = configSchema.safeParse(config);
  const parsedSecret = provider.secret.safeParse(secret);
  if (!parsedConfig.success || !parsedSecret.success) {
    const problems = [
      ...problemsOf('config', configSchema, parsedConfig.error),
      ...problemsOf('secret', provider.secret, parsedSecret.error),
    ];
    throw misfit(type, name, problems);
  }
  const parsed = [name, parsedConfig.data, parsedSecret.data] as const;
  const destination = provider.destination(name, parsedConfig.data);
  return {
    config: parsedConfig.data,
    secret: parsedSecret.data,
    credential: provider.credential(...parsed),
    shown: provider.shown(...parsed),
    destination: destination.join(' '),
    sentTo: [...destination, ...(provider.ownDestination?.(parsedSecret.data) ?? [])],
  };
}

/**
 * Where a config sends the secret, as it is sealed with the secret: known before the secret is opened.
 *
 * @throws ProviderError `ProviderConfigInvalid`; its `fields` and message name what does not fit, never a value
 */
export function destinationOf(type: string, name: string, config: unknown): string {
  const provider = providerType(type);
  checkProviderName(name);
  const schema = provider.config(name);
  const parsed = schema.safeParse(config);
  if (!parsed.success) throw misfit(type, name, problemsOf('config', schema, parsed.error));
  return provider.destination(name, parsed.data).join(' ');
}

/**
 * The platform's own provider of that type and name, from the environment. `undefined` if it is not set.
 *
 * @throws ProviderError `ProviderConfigInvalid` if it is set and does not fit
 */
export function fromEnvironment(type: string, name: string, env: NodeJS.ProcessEnv): ParsedProvider | undefined {
  const found = providerType(type).fromEnvironment(name, env);
  return found && parseProvider(type, name, found.config, found.secret);
}

/**
 * Refuses an address before it is stored if the egress policy forbids its URL. Host names are resolved at each call,
 * not here.
 *
 * @throws ProviderError `ProviderConfigInvalid` naming the field
 */
export function checkDestination(
  { type, name }: { readonly type: string; readonly name: string },
  { sentTo: [address = ''] }: Pick<ParsedProvider, 'sentTo'>,
  egress: EgressPolicy,
): void {
  const rule = egressRuleOf(egress.refusalOf(new URL(address)));
  if (!rule) return;
  const field = providerType(type).destinationField;
  throw new ProviderError('ProviderConfigInvalid', `${type}/${name}: ${field} ${rule}`, { fields: [field] });
}

/** The fields of every type, from its schemas: lines of `configure --help`. Optional fields are in brackets. */
export function describeTypes(): readonly string[] {
  return Object.keys(providerTypes).flatMap((type) => {
    const { variants, config, secret } = providerType(type);
    return variants.flatMap(({ name, title }) => [
      `  ${type} ${title}`,
      `      config: ${fieldsOf(config(name))}`,
      `      secret: ${fieldsOf(secret)}`,
    ]);
  });
}

function fieldsOf(schema: z.ZodType): string {
  const shape = schema instanceof z.ZodObject ? Object.entries(schema.shape as Record<string, z.ZodType>) : [];
  return shape.map(([field, value]) => (value.safeParse(undefined).success ? `[${field}]` : field)).join(', ');
}

/**
 * Checks a secret against its type, without its config, which may have changed since.
 *
 * @throws ProviderError `ProviderConfigInvalid`; its `fields` and message name what does not fit, never a value
 */
export function parseSecret(type: string, name: string, secret: unknown): Readonly<Record<string, unknown>> {
  const schema = providerType(type).secret;
  const parsed = schema.safeParse(secret);
  if (parsed.success) return parsed.data;
  throw misfit(type, name, problemsOf('secret', schema, parsed.error));
}

/** Whether two destinations are at one address: they may still differ in organization, project or account. */
export function isSameAddress(destination: string, other: string): boolean {
  const [address] = destination.split(' ');
  return address !== '' && address === other.split(' ')[0];
}

function misfit(type: string, name: string, problems: readonly { field: string; rule: string }[]): ProviderError {
  const message = `${type}/${name}: ${problems.map(({ field, rule }) => `${field} ${rule}`).join('; ')}`;
  return new ProviderError('ProviderConfigInvalid', message, { fields: problems.map(({ field }) => field) });
}

/**
 * Takes only the path and our fixed text from each issue. The name of an unknown field is the caller's, so it is left
 * out.
 */
function problemsOf(part: 'config' | 'secret', schema: z.ZodType, error: z.ZodError = new z.ZodError([])) {
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape).join(', ') : 'other fields';
  const problems = new Map<string, string>();
  for (const { code, path, message } of error.issues) {
    const [field] = path;
    if (code === 'unrecognized_keys') problems.set(part, `has an unknown field; it takes ${known}`);
    else if (field === undefined) problems.set(part, `must be an object with ${known}`);
    else problems.set(`${part}.${String(field)}`, message);
  }
  return [...problems].map(([field, rule]) => ({ field, rule }));
}
