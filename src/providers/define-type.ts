/**
 * Makes a provider type from its definition. The types of this package are made by it too, so a type of a user can do
 * everything that they can.
 */
import type { AnswerLimits } from '../egress/answer-limits.js';
import { type Binding, boundFetch } from '../egress/bound-fetch.js';
import type { Fetch } from '../egress/http-client.js';
import { mask } from '../redaction/secret.js';
import type { ServiceReply } from './answers/error-body.js';
import type { AnswerMeaning } from './answers/meanings.js';
import { failingOnRefusal } from './answers/refusing-fetch.js';
import type { AnswerRule } from './answers/rule.js';
import { meaningByRules } from './answers/rules/by-type.js';
import { checkDefinition } from './check-definition.js';
import { type ProbeCall, probeCredential } from './credential-probe.js';
import type { Fields } from './field-schema.js';
import { bindingOf, type SentSecret } from './service-binding.js';
import type {
  CheckContext,
  CheckResult,
  KeyIssuer,
  ProviderFields,
  ProviderType,
  ProviderVariant,
  PublicFields,
} from './type.js';

/** The credential of a type that defines none: the config, the base URL, and each secret field. */
export type DefaultCredential<Config, SecretFields> = Readonly<Omit<Config, 'baseURL'>> & {
  readonly baseURL: string;
} & Readonly<SecretFields>;

/**
 * Defines a provider type: what is stored of a provider, where its secret may go and how it is sent, how it is checked,
 * and what the answers of the service mean. Only `type`, `secret` and `destination` are required.
 */
export interface ProviderTypeDefinition<Type extends string, Config, SecretFields, Credential> {
  /**
   * 1 to 32 characters from a-z 0-9 -, starting with a letter. A type whose name ends with `-admin` is for rotations:
   * no worker of steps reads it.
   */
  readonly type: Type;
  /** The different configs of this type, for help. Default: one, for any name. */
  readonly variants?: readonly ProviderVariant[];
  /** The public fields, each with a schema; or a function, if they depend on the name. Default: no fields. */
  readonly config?: Fields<Config> | ((name: string) => Fields<Config>);
  /** The secret fields, each with a schema. */
  readonly secret: Fields<SecretFields>;
  /** The secret field that a bare text (the CLI's stdin) fills. Default: the first. */
  readonly primarySecret?: keyof SecretFields & string;
  /**
   * What `withProvider` hands over. Its fields have placeholders in place of the texts of the secret; for `reveal()` it is
   * made from the secret itself. Default: {@link DefaultCredential}.
   */
  credential?(fields: ProviderFields<Config, SecretFields>): Credential;
  /** Facts that may be shown and stored in histories. Default: the masked secret, and the host. */
  shown?(fields: ProviderFields<Config, SecretFields>): Readonly<Record<string, string | number>>;
  /**
   * Where the secret may go: the base URL, and then `field=value` for each field of the config that becomes part of a
   * URL or a header. The secret is sealed for it: a change of it needs the secret again. An empty list, if the secret
   * contains its address.
   */
  destination(fields: PublicFields<Config>): string | readonly string[];
  /** For a secret that contains its address: the URL without user and password, and the headers that go with it. */
  ownDestination?(secret: SecretFields): readonly string[];
  /** The field that holds the address, for messages. Default: `config.baseURL`. */
  readonly destinationField?: string;
  /**
   * How the secret is sent. The `fetch` of `withProvider` puts it into each request to what is below the base URL of
   * `destination`, and to `hosts`, when the request is sent. Default: as your code sends the placeholder, in headers or
   * in the URL.
   */
  sentIn?(fields: ProviderFields<Config, SecretFields>): SentSecret;
  /** Further hosts that get the secret: `data.example.com`, `*.example.com`. Default: none. */
  hosts?(fields: PublicFields<Config>): readonly string[];
  /** The paths below the base URL that `fetch` may call. Default: all. */
  paths?(fields: PublicFields<Config>): readonly string[] | undefined;
  /**
   * The names of the headers of your code, and of the libraries that it uses, that are sent to the service beside those
   * of `sentIn`: `x-api-version`, `x-trace-*`. Default: all, except those that may carry a credential or name an account.
   */
  readonly callerHeaders?: readonly string[];
  /**
   * What stands for a text of the secret in the credential, if a client looks at the form of a key. It must contain
   * `unique`, which has letters and digits. Default: `unique`.
   */
  placeholder?(field: string, unique: string, fields: ProviderFields<Config, SecretFields>): string;
  /**
   * Whether `fetch` itself fails if the service refuses the credential, is out of credit, limits the rate or is not
   * available, for code that calls it without a vendor's client. Default: false.
   */
  readonly failsOnRefusal?: boolean;
  /** How long the service may take to answer. Default: as long as a model. */
  readonly limits?: AnswerLimits;
  /** Adapts the `fetch` of steps and checks further. */
  adaptFetch?(credential: Credential, fetch: Fetch): Fetch;
  /** The platform's own credential of that name, from the environment. Default: there is none. */
  fromEnvironment?(
    name: string,
    env: NodeJS.ProcessEnv,
  ): { readonly config: Config; readonly secret: SecretFields } | undefined;
  /** A request that needs the credential, costs nothing and changes nothing. It needs `sentIn`. */
  probe?(fields: ProviderFields<Config, SecretFields>): ProbeCall | undefined;
  /**
   * Checks the credential in another way than by `probe`. The `fetch` of `context` puts the credential in;
   * `fetchWithoutKey` does not. Default: `probe`, or `cannot-tell`.
   */
  check?(credential: Credential, context: CheckContext, fetchWithoutKey: Fetch): Promise<CheckResult>;
  /**
   * What answers mean, if it is not what their status says: rules for answers that are errors, or a function for all.
   */
  readonly answers?:
    | readonly AnswerRule[]
    | ((reply: ServiceReply, fields: PublicFields<Config>) => AnswerMeaning | undefined);
  /** What creates and revokes keys at the service. Default: a person does. */
  readonly keyIssuer?: KeyIssuer<SecretFields> | ((name: string) => KeyIssuer<SecretFields> | undefined);
  /** What a person must do to revoke a key, starting with a verb. Default: `delete the key at its service`. */
  readonly revokeByHand?: string | ((name: string) => string);
}

/** Marks what {@link defineProviderType} made, also for another copy of this package. */
const DEFINED = Symbol.for('workspace-providers.provider-type');

/** Whether a value was made by {@link defineProviderType}. */
export function isProviderType(value: unknown): value is ProviderType {
  return typeof value === 'object' && value !== null && DEFINED in value;
}

/**
 * Defines a provider type of your own, for `WorkspaceProviders.connect({ types })`, `ProviderClient.connect({ types })`
 * and the setting `PROVIDER_TYPES`.
 *
 * @throws ProviderError `SetupInvalid` if the definition lacks something, or has something that does not fit
 * @example
 * export const weather = defineProviderType({
 *   type: 'weather',
 *   secret: { apiKey: secretKey },
 *   destination: () => 'https://api.weather.example',
 *   sentIn: ({ secret }) => ({ headers: { 'x-api-key': secret.apiKey } }),
 *   probe: () => ({ path: '/v1/account' }),
 * });
 */
export function defineProviderType<
  const Type extends string,
  SecretFields,
  Config = object,
  Credential = DefaultCredential<Config, SecretFields>,
>(
  definition: ProviderTypeDefinition<Type, Config, SecretFields, Credential>,
): ProviderType<Type, Config, SecretFields, Credential> {
  checkDefinition(definition);
  const { type, config = {} as Fields<Config>, secret, answers = [], keyIssuer, revokeByHand } = definition;
  const [firstSecret = ''] = Object.keys(secret);
  const primarySecret = definition.primarySecret ?? (firstSecret as keyof SecretFields & string);
  const destination = (fields: PublicFields<Config>) => [definition.destination(fields)].flat();
  const meaningOf = typeof answers === 'function' ? answers : meaningByRules(type, answers);
  const bindings = new WeakMap<object, Binding>();
  const adaptFetch: ProviderType<Type, Config, SecretFields, Credential>['adaptFetch'] = (held, fetch, watch) => {
    const { fields, credential } = held;
    const binding = bindings.get(held) ?? bindingOf(definition, held);
    bindings.set(held, binding);
    const bound = boundFetch(fetch, binding, watch);
    const failing = definition.failsOnRefusal ? failingOnRefusal(bound, (reply) => meaningOf(reply, fields)) : bound;
    return definition.adaptFetch?.(credential, failing) ?? failing;
  };
  const made: ProviderType<Type, Config, SecretFields, Credential> = {
    type,
    variants: definition.variants ?? [{ name: 'default', title: 'with any name' }],
    config: (name) => (typeof config === 'function' ? config(name) : config),
    secret,
    primarySecret,
    credential: (fields) =>
      definition.credential?.(fields) ?? (defaultCredential(fields, destination(fields)) as Credential),
    placeholder: (field, unique, fields) => definition.placeholder?.(field, unique, fields) ?? unique,
    shown: (fields) => definition.shown?.(fields) ?? defaultShown(fields.secret[primarySecret], destination(fields)),
    destination,
    destinationField: definition.destinationField ?? 'config.baseURL',
    ...(definition.ownDestination && { ownDestination: definition.ownDestination }),
    ...(definition.limits && { limits: definition.limits }),
    adaptFetch,
    fromEnvironment: (name, env) => definition.fromEnvironment?.(name, env),
    async check(held, context: Pick<CheckContext, 'fetch' | 'signal'>) {
      const { fields, credential } = held;
      const own = { ...context, fetch: adaptFetch(held, context.fetch) };
      if (definition.check) return definition.check(credential, own, context.fetch);
      const call = definition.probe?.(fields);
      if (!call) return { outcome: 'cannot-tell', detail: 'this provider has no check' };
      const [baseURL = ''] = destination(fields);
      return probeCredential(call, {
        ...{ baseURL, meaningOf: (reply) => meaningOf(reply, fields), fetch: own.fetch, context },
      });
    },
    meaningOf,
    ...(keyIssuer && { keyIssuer: (name: string) => (typeof keyIssuer === 'function' ? keyIssuer(name) : keyIssuer) }),
    revokeByHand: (name) =>
      typeof revokeByHand === 'function' ? revokeByHand(name) : (revokeByHand ?? 'delete the key at its service'),
  };
  return Object.freeze(Object.assign(made, { [DEFINED]: true }));
}

function defaultCredential<Config, SecretFields>(
  { config, secret }: ProviderFields<Config, SecretFields>,
  [baseURL]: readonly string[],
): object {
  return { ...config, baseURL, ...secret };
}

function defaultShown(key: unknown, [baseURL]: readonly string[]): Readonly<Record<string, string>> {
  const masked = { key: mask(String(key)) };
  return baseURL ? { ...masked, host: new URL(baseURL).host } : masked;
}
