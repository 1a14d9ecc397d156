/** Where the secret of a provider goes, and how it is put into requests, from the definition of its type. */
import type { Binding } from '../egress/bound-fetch.js';
import type { HeldProvider, ProviderFields, PublicFields } from './type.js';

/** How a secret is sent with each request. */
export interface SentSecret {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in place of `headers` if a client has the placeholder in one of them: a service may take a key in two ways. */
  readonly otherHeaders?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** The URL to call, if the URL itself is secret. Nothing else is called then. */
  readonly url?: string;
  /** Secrets that are part of the path at other hosts: `{ '*.example.com': secret.token }`. */
  readonly pathsAt?: Readonly<Record<string, string | undefined>>;
}

/** The part of a definition that decides. */
interface SendingType<Config, SecretFields> {
  destination(fields: PublicFields<Config>): string | readonly string[];
  ownDestination?(secret: SecretFields): readonly string[];
  sentIn?(fields: ProviderFields<Config, SecretFields>): SentSecret;
  hosts?(fields: PublicFields<Config>): readonly string[];
  paths?(fields: PublicFields<Config>): readonly string[] | undefined;
  readonly callerHeaders?: readonly string[];
}

export function bindingOf<Config, SecretFields>(
  type: SendingType<Config, SecretFields>,
  { fields, placeholders }: HeldProvider<Config, SecretFields, unknown>,
): Binding {
  const [baseURL = originOf(type.ownDestination?.(fields.secret))] = [type.destination(fields)].flat();
  const pairs = textPairs(placeholders, fields.secret);
  const sent = type.sentIn?.(fields);
  // What the caller was given is made in the same way from the placeholders.
  const shown = type.sentIn?.({ ...fields, secret: placeholders });
  return {
    baseURL: shown?.url ?? baseURL,
    secretURL: sent?.url,
    hosts: type.hosts?.(fields),
    paths: type.paths?.(fields),
    headers: sent?.headers,
    otherHeaders: sent?.otherHeaders,
    query: sent?.query,
    pathsAt: Object.entries(sent?.pathsAt ?? {}).flatMap(([host, secret]) => {
      const placeholder = shown?.pathsAt?.[host];
      return secret === undefined || placeholder === undefined ? [] : [{ host, secret, placeholder }];
    }),
    placeholders: pairs.map(([placeholder]) => placeholder),
    swaps: sent ? undefined : new Map(pairs),
    callerHeaders: type.callerHeaders,
  };
}

/** Of a secret that contains its address. */
function originOf([address = '']: readonly string[] = []): string {
  return new URL(address).origin;
}

/** The texts of the secret, each with its placeholder. */
function textPairs(placeholder: unknown, secret: unknown): (readonly [string, string])[] {
  if (typeof placeholder === 'string') return [[placeholder, String(secret)]];
  if (typeof placeholder !== 'object' || placeholder === null) return [];
  return Object.entries(placeholder).flatMap(([field, each]) =>
    textPairs(each, (secret as Readonly<Record<string, unknown>>)[field]),
  );
}
