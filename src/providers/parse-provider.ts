/** The only way from stored or given data to a credential: by the fields of its type. */
import type { Fetch } from '../egress/http-client.js';
import type { EgressPolicy } from '../egress/policy.js';
import { egressRuleOf } from '../egress/refusal.js';
import type { RequestWatch } from '../egress/sealed-head.js';
import { ProviderError } from '../protocol/errors.js';
import { checkProviderName } from '../protocol/names.js';
import { rememberTexts } from '../redaction/opened-secrets.js';
import type { AnsweringService } from './answers/provider-error.js';
import { badType, made } from './definition-errors.js';
import { type FieldProblem, parseFields } from './field-schema.js';
import { parseHttpUrl } from './fields.js';
import { placeholdersOf } from './placeholders.js';
import type { AnyProviderType, CheckContext, CheckResult } from './type.js';

/** A provider whose config and secret fit its type. `secret` is plaintext: seal it or drop it. */
export interface ParsedProvider<Credential = unknown> {
  readonly type: AnyProviderType;
  readonly name: string;
  readonly config: unknown;
  readonly secret: Readonly<Record<string, unknown>>;
  /** With placeholders in place of the texts of the secret. */
  readonly credential: Credential;
  readonly shown: Readonly<Record<string, string | number>>;
  /** Where `config` sends the secret. It is sealed with the secret. */
  readonly destination: string;
  /** Where the secret is sent: the URL first. It may contain the secret. */
  readonly sentTo: readonly string[];
  readonly service: ProviderService;
}

/** The service of one provider: how it is called and understood. */
export interface ProviderService extends AnsweringService {
  /** Returns the `fetch` that puts the credential into requests to the service. */
  readonly adaptFetch: (fetch: Fetch, watch?: RequestWatch) => Fetch;
  /** Where `config` sends the secret. */
  readonly destination: string;
  /** The credential with the secret itself. */
  reveal(): unknown;
  /** Asks the service whether it accepts the credential. */
  check(context: CheckContext): Promise<CheckResult>;
}

/**
 * @param owner - the workspace: clients that keep what they know by key must not mix two up. Default: none
 * @throws ProviderError `ProviderConfigInvalid`; its `fields` and message name what does not fit, never a value
 */
export function parseProvider(
  type: AnyProviderType,
  name: string,
  config: unknown,
  secret: unknown,
  owner?: string,
): ParsedProvider {
  const parsedConfig = parseFields('config', configFields(type, name), config);
  const parsedSecret = parseFields('secret', type.secret, secret);
  const problems = [...(parsedConfig.problems ?? []), ...(parsedSecret.problems ?? [])];
  if (!parsedConfig.values || !parsedSecret.values) throw misfit(type, name, problems);
  const fields = { name, config: parsedConfig.values, secret: parsedSecret.values };
  rememberTexts(fields.secret);
  const destination = destinationTexts(type, fields);
  const reveal = () => made(type, 'credential', () => type.credential(fields));
  const placeholders = placeholdersOf(type, fields, owner);
  const credential = made(type, 'credential', () => type.credential({ ...fields, secret: placeholders }));
  const held = { fields, placeholders, credential };
  return {
    type,
    ...fields,
    credential,
    shown: shownFacts(type, fields),
    destination: destination.join(' '),
    sentTo: [...destination, ...(type.ownDestination?.(fields.secret) ?? [])],
    service: {
      meaningOf: (reply) => type.meaningOf(reply, fields),
      destinationField: type.destinationField,
      destination: destination.join(' '),
      adaptFetch: (fetch, watch) => type.adaptFetch(held, fetch, watch),
      check: (context) => type.check(held, context),
      reveal,
    },
  };
}

/** @throws ProviderError `ProviderConfigInvalid`, as {@link parseProvider} does */
export function parseDestination(type: AnyProviderType, name: string, config: unknown): string {
  const { values, problems } = parseFields('config', configFields(type, name), config);
  if (!values) throw misfit(type, name, problems);
  return destinationTexts(type, { name, config: values }).join(' ');
}

/** @throws ProviderError `ProviderConfigInvalid`, as {@link parseProvider} does */
export function parseSecret(type: AnyProviderType, name: string, secret: unknown): Readonly<Record<string, unknown>> {
  const { values, problems } = parseFields('secret', type.secret, secret);
  if (values) return values;
  throw misfit(type, name, problems);
}

/**
 * Refuses an address before it is stored if the egress policy forbids its URL. Host names are resolved at each call,
 * not here.
 *
 * @throws ProviderError `ProviderConfigInvalid` naming the field
 */
export function checkDestination({ type, name, sentTo: [address = ''] }: ParsedProvider, egress: EgressPolicy): void {
  const rule = egressRuleOf(egress.refusalOf(new URL(address)));
  if (!rule) return;
  const field = type.destinationField;
  throw new ProviderError('ProviderConfigInvalid', `${type.type}/${name}: ${field} ${rule}`, { fields: [field] });
}

/** Whether two destinations are at one address: they may still differ in organization, project or account. */
export function isSameAddress(destination: string, other: string): boolean {
  const [address] = destination.split(' ');
  return address !== '' && address === other.split(' ')[0];
}

function configFields(type: AnyProviderType, name: string) {
  return type.config(checkProviderName(name));
}

/** What a sealed credential and its readers in other languages can compare: docs/sealing-format.md. */
const DESTINATION_TEXT = /^[\x21-\x7e]+$/;

function destinationTexts(
  type: AnyProviderType,
  fields: { readonly name: string; readonly config: Record<string, unknown> },
) {
  const texts = made(type, 'destination', () => type.destination(fields));
  const [address] = texts;
  const isAddressed = address === undefined ? type.ownDestination !== undefined : parseHttpUrl(address) !== undefined;
  if (isAddressed && texts.every((text) => DESTINATION_TEXT.test(text))) return texts;
  throw badType(type, 'destination', 'must return an https URL, and then texts of printable ASCII without spaces');
}

/** Shorter ones are met by chance. */
const MIN_SECRET_CHARACTERS = 8;

/** The facts are in histories and lists. */
function shownFacts(type: AnyProviderType, fields: Parameters<AnyProviderType['shown']>[0]) {
  const shown = made(type, 'shown', () => type.shown(fields));
  const secrets = Object.values(fields.secret).filter((value) => typeof value === 'string');
  for (const fact of Object.values(shown)) {
    if (typeof fact === 'number') continue;
    if (typeof fact !== 'string') throw badType(type, 'shown', 'must return texts and numbers');
    const shows = secrets.some((secret) => secret.length >= MIN_SECRET_CHARACTERS && fact.includes(secret));
    if (shows) throw badType(type, 'shown', 'must not return a secret: mask it');
  }
  return shown;
}

function misfit({ type }: AnyProviderType, name: string, problems: readonly FieldProblem[]): ProviderError {
  const message = `${type}/${name}: ${problems.map(({ field, rule }) => `${field} ${rule}`).join('; ')}`;
  return new ProviderError('ProviderConfigInvalid', message, { fields: problems.map(({ field }) => field) });
}
