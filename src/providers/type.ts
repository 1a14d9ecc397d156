/** What a provider type is. To add one: a folder beside this file, and a line in `registry.ts`. */
import type { z } from 'zod';
import type { Fetch } from '../egress/http-client.js';
import type { CheckOutcome, RevocationReport } from '../protocol/rotation.js';

/** What a call to a live service found out about a credential. */
export interface CheckResult {
  /** `cannot-tell`: neither yes nor no (away, rate limited, not allowed to look). Never taken for a rejection. */
  readonly outcome: CheckOutcome;
  /** Fixed text, fit for a person: "the models list was answered". */
  readonly detail: string;
}

export interface CheckContext {
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
}

/** A key that the service made at our request. */
export interface IssuedKey<SecretFields> {
  readonly secret: SecretFields;
  /** Names the key to `revoke`, by the service's own ids: no secret, and the same for as long as the key lives. */
  readonly keyId: string;
}

export interface IssueRequest<SecretFields> {
  /** What the key is called at the service. Every key of this name counts as made by an earlier attempt. */
  readonly label: string;
  /** What the new secret is made from: fields beside the key itself are taken over. */
  readonly current: SecretFields;
}

/**
 * Makes and unmakes keys at the service, with an admin credential that is a provider of its own, so that no step opens
 * it. Both functions may be called again after a crash at any point, but one at a time for a label. They throw
 * what `toProviderError` classifies, given the identity of the admin credential's provider.
 *
 * @typeParam Admin - the credential of the provider type `adminType`
 */
export interface KeyIssuer<SecretFields = unknown, Admin = unknown> {
  /** The provider type that holds the admin credential, under the same name: `llm-admin`. */
  readonly adminType: string;
  /**
   * Absent: the service cannot make keys. Before it makes one, it removes what earlier attempts left behind: a key
   * whose secret was lost between making and storing it serves nobody, and must not live on unseen.
   */
  issue?(admin: Admin, request: IssueRequest<SecretFields>, context: CheckContext): Promise<IssuedKey<SecretFields>>;
  /**
   * Removes every key of that label, whose secret nobody has: of an attempt that was given up before it stored one.
   * Absent where `issue` is.
   */
  discard?(admin: Admin, request: { readonly label: string }, context: CheckContext): Promise<void>;
  /**
   * A key that is gone or inactive already is `revoked`. One that was not issued here has no `keyId`: it is found by
   * what the service shows of it, and only where that fits one key alone.
   */
  revoke?(
    admin: Admin,
    key: { readonly secret: SecretFields; readonly keyId?: string },
    context: CheckContext,
  ): Promise<RevocationReport>;
}

export interface ProviderVariant {
  /** A name that `config` takes. */
  readonly name: string;
  /** Which names it stands for: `named anthropic or gemini`. */
  readonly title: string;
}

/**
 * A kind of provider.
 *
 * @typeParam Config - what stands in `config`, in the clear
 * @typeParam SecretFields - what is sealed, a flat JSON object
 * @typeParam Credential - what a step works with
 */
export interface ProviderType<Config = unknown, SecretFields = unknown, Credential = unknown> {
  /** `llm`, `tenderly`, `rpc`. */
  readonly type: string;
  /** The names that have a config of their own, for help and documentation: each with one name that stands for the others. */
  readonly variants: readonly ProviderVariant[];
  /** The schema for a given name, since what is required may depend on it. Strict: unknown fields are refused. */
  config(name: string): z.ZodType<Config>;
  readonly secret: z.ZodType<SecretFields>;
  /** The secret field that a bare string (the CLI's stdin) fills. */
  readonly primarySecret: keyof SecretFields & string;
  credential(name: string, config: Config, secret: SecretFields): Credential;
  /** Facts fit to show: masked key, host, chain id. */
  shown(name: string, config: Config, secret: SecretFields): Readonly<Record<string, string | number>>;
  /**
   * Where the secret is sent: a base URL with its path, since one host may serve many accounts. When it changes, an
   * update must give the secret again.
   */
  destination(name: string, config: Config, secret: SecretFields): string;
  /** The field that holds the address: `config.baseURL`. Messages name it. */
  readonly destinationField: string;
  /** The platform's own credential of that name, from the environment; `undefined` where it is not set. */
  fromEnvironment(
    name: string,
    env: NodeJS.ProcessEnv,
  ): { readonly config: Config; readonly secret: SecretFields } | undefined;
  /**
   * Asks the live service by a call that costs nothing.
   *
   * @throws ProviderError `ProviderConfigInvalid` where what answers is not what the config says: no matter of the key
   */
  check(credential: Credential, context: CheckContext): Promise<CheckResult>;
  /** Absent, or `undefined` for a name: keys are made and revoked by hand. */
  keyIssuer?(name: string): KeyIssuer<SecretFields> | undefined;
  /** What an operator must do to revoke a key: fixed text that starts with a verb, "delete the key at …". */
  revokeByHand(name: string): string;
}
