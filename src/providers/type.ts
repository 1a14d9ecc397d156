/**
 * What a provider type is. `define-type.ts` makes one from a definition: those of this package and those of users have
 * the same members.
 */
import type { AnswerLimits } from '../egress/answer-limits.js';
import type { Fetch } from '../egress/http-client.js';
import type { RequestWatch } from '../egress/sealed-head.js';
import type { CheckOutcome, RevocationReport } from '../protocol/rotation.js';
import type { ServiceReply } from './answers/error-body.js';
import type { AnswerMeaning } from './answers/meanings.js';
import type { Fields } from './field-schema.js';

/** The result of checking a credential against the live service. */
export interface CheckResult {
  /**
   * `cannot-tell` if the service was unavailable, limited the rate, or did not allow the check: it is not a rejection.
   */
  readonly outcome: CheckOutcome;
  /** Fixed text for a person: "the service returned its list of models". */
  readonly detail: string;
}

export interface CheckContext {
  /** Puts the credential into requests to its service. */
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
}

/** A key that the service created at our request. */
export interface IssuedKey<SecretFields> {
  readonly secret: SecretFields;
  /** Identifies the key for `revoke`, by the service's own ids. Not a secret, and the same for the life of the key. */
  readonly keyId: string;
}

export interface IssueRequest<SecretFields> {
  /** The name of the key at the service. Every key of this name counts as created by an earlier attempt. */
  readonly label: string;
  /** The secret that the new one is made from: fields other than the key itself are copied. */
  readonly current: SecretFields;
}

/**
 * Creates and deletes keys at the service. The admin credential for it is a separate provider, so that no step opens
 * it. Each function may be called again after a crash at any point, but only one call at a time per label. They throw
 * errors that withProvider would understand too, such as `ServiceAnswerError`. The admin credential has placeholders:
 * the `fetch` of the context puts the secret in.
 *
 * @typeParam Admin - the credential of the provider type `adminType`
 */
export interface KeyIssuer<SecretFields = unknown, Admin = unknown> {
  /** The provider type that holds the admin credential, under the same name: `llm-admin`. */
  readonly adminType: string;
  /**
   * Creates a key. Absent if the service cannot create keys. It first deletes the keys that earlier attempts left
   * behind: if a secret was lost before it was stored, nobody can use its key, and the key must not stay valid
   * unnoticed.
   */
  issue?(admin: Admin, request: IssueRequest<SecretFields>, context: CheckContext): Promise<IssuedKey<SecretFields>>;
  /**
   * Deletes every key of that label, for an attempt that was given up before it stored a secret: nobody has the secret.
   * Absent if `issue` is.
   */
  discard?(admin: Admin, request: { readonly label: string }, context: CheckContext): Promise<void>;
  /**
   * Revokes a key. A key that is already gone or inactive counts as `revoked`. A key that was not issued here has no
   * `keyId`: it is found by what the service shows of it, and only if that matches exactly one key.
   */
  revoke?(
    admin: Admin,
    key: { readonly secret: SecretFields; readonly keyId?: string },
    context: CheckContext,
  ): Promise<RevocationReport>;
}

export interface ProviderVariant {
  /** A name that `config` accepts. */
  readonly name: string;
  /** The names that have this config, as text: `named anthropic or gemini`. */
  readonly title: string;
}

/** A provider whose fields fit its type, in plaintext. */
export interface ProviderFields<Config, SecretFields> {
  /** The name within the type: `anthropic`, `default`. */
  readonly name: string;
  readonly config: Config;
  readonly secret: SecretFields;
}

/** What is held of a provider to call its service. */
export interface HeldProvider<Config, SecretFields, Credential> {
  /** The plaintext. */
  readonly fields: ProviderFields<Config, SecretFields>;
  /** The secret fields, with a placeholder in place of each text. */
  readonly placeholders: SecretFields;
  /** Made from the placeholders. */
  readonly credential: Credential;
}

/** The public part of a provider: what is known before its secret is opened. */
export type PublicFields<Config> = Omit<ProviderFields<Config, never>, 'secret'>;

/**
 * A kind of provider.
 *
 * @typeParam Config - the public fields in `config`, which are stored in plaintext
 * @typeParam SecretFields - the fields that are sealed: a JSON object
 * @typeParam Credential - what a step works with
 */
export interface ProviderType<
  Type extends string = string,
  Config = unknown,
  SecretFields = unknown,
  Credential = unknown,
> {
  /** `llm`, `tenderly`, `pinecone`. */
  readonly type: Type;
  /** The different configs of this type, for help and documentation. */
  readonly variants: readonly ProviderVariant[];
  /** The fields for a given name, since what is required may depend on it. Other fields are refused. */
  config(name: string): Fields<Config>;
  readonly secret: Fields<SecretFields>;
  /** The secret field that a bare string (the CLI's stdin) fills. */
  readonly primarySecret: keyof SecretFields & string;
  /** What code that calls the service works with, with the secret or with placeholders for it. */
  credential(fields: ProviderFields<Config, SecretFields>): Credential;
  /** What stands for a text of the secret. It contains `unique`. */
  placeholder(field: string, unique: string, fields: ProviderFields<Config, SecretFields>): string;
  /** Facts that may be shown: masked key, host, chain id. */
  shown(fields: ProviderFields<Config, SecretFields>): Readonly<Record<string, string | number>>;
  /**
   * Where `config` sends the secret: the base URL with its path, since one host may serve many accounts, and then
   * `field=value` for each further field that becomes part of a URL or a header. Texts of printable ASCII without
   * spaces, always in the same order. It is sealed with the secret: one that was sealed for another destination does
   * not open. Empty if the secret contains its address.
   */
  destination(fields: PublicFields<Config>): readonly string[];
  /**
   * For a secret that contains its address: the URL without user and password, and then the headers that are sent with
   * it, because a gateway may forward by a header. It is as secret as the secret.
   */
  ownDestination?(secret: SecretFields): readonly string[];
  /** The field that holds the address: `config.baseURL`. Messages name it. */
  readonly destinationField: string;
  /** How long a service of this type may take to answer. Shorter than a step. Default: those of models. */
  readonly limits?: AnswerLimits;
  /** Returns the `fetch` with which steps and checks call the service: it puts the credential in. */
  adaptFetch(held: HeldProvider<Config, SecretFields, Credential>, fetch: Fetch, watch?: RequestWatch): Fetch;
  /** The platform's own credential of that name, from the environment. `undefined` if it is not set. */
  fromEnvironment(
    name: string,
    env: NodeJS.ProcessEnv,
  ): { readonly config: Config; readonly secret: SecretFields } | undefined;
  /**
   * Checks a credential against the live service, by a call that costs nothing. The `fetch` of the context is that of the
   * process.
   *
   * @throws ProviderError `ProviderConfigInvalid` if the service shows that the config is wrong, whatever the key is
   */
  check(held: HeldProvider<Config, SecretFields, Credential>, context: CheckContext): Promise<CheckResult>;
  /** What an answer means, if it is not what its status says. */
  meaningOf(reply: ServiceReply, fields: PublicFields<Config>): AnswerMeaning | undefined;
  /** Returns what creates and revokes keys. Absent, or `undefined` for a name, if that is done by hand. */
  keyIssuer?(name: string): KeyIssuer<SecretFields> | undefined;
  /** What an operator must do to revoke a key: fixed text that starts with a verb, "delete the key at …". */
  revokeByHand(name: string): string;
}

/** A provider type without its TypeScript types: its fields check what it receives. */
export type AnyProviderType = ProviderType<string, Record<string, unknown>, Record<string, unknown>, unknown>;

/** A key issuer without its TypeScript types: pass it only what was parsed for the two providers. */
export type AnyKeyIssuer = KeyIssuer<Record<string, unknown>>;
