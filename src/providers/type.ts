/** What a provider type is. To add one: a file beside this one, and a line in `index.ts`. */
import type { z } from 'zod';

/** An HTTP client as the fetch standard has it; the same one for the AI SDK, viem and vendors' SDKs. */
export type Fetch = typeof globalThis.fetch;

/** What a call to a live service found out about a credential. */
export interface CheckResult {
  /** `cannot-tell`: neither yes nor no (away, rate limited, not allowed to look). Never taken for a rejection. */
  readonly outcome: 'ok' | 'rejected' | 'cannot-tell';
  /** Fixed text, fit for a person: "the models list was answered". */
  readonly detail: string;
}

export interface CheckContext {
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
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
  /** For a given provider name, since what is required may depend on it. Strict: unknown fields are refused. */
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
}
