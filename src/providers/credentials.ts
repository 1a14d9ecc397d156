/** The credentials of provider types, for TypeScript: of the types of this package, and of types of users. */
import type { HttpCredential } from './http/http.js';
import type { LlmCredential } from './llm/llm.js';
import type { RpcCredential } from './rpc/rpc.js';
import type { TenderlyCredential } from './tenderly/tenderly.js';

/** The credential that a step works with, by provider type. */
export interface ProviderCredentials {
  readonly llm: LlmCredential;
  readonly tenderly: TenderlyCredential;
  readonly rpc: RpcCredential;
  readonly http: HttpCredential;
}

/** A type of a user: what `defineProviderType` returned. */
export interface OwnType {
  readonly type: string;
  credential(...fields: never[]): unknown;
}

/** The types that a user has defined. */
export type OwnTypes = readonly OwnType[];

/** The name of a type that steps may open. */
export type StepProviderType<Types extends OwnTypes = []> = keyof ProviderCredentials | Types[number]['type'];

/** What `withProvider` hands over for a provider of that type. */
export type CredentialOf<Type extends string, Types extends OwnTypes = []> = Type extends keyof ProviderCredentials
  ? ProviderCredentials[Type]
  : Extract<Types[number], { readonly type: Type }> extends { credential(...fields: never[]): infer Credential }
    ? Credential
    : unknown;
