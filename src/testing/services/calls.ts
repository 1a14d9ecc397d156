/**
 * The calls that reached a stand-in: with whose key, and for which workspace. This is the service's side of the proof
 * that every call came with the key of its workspace, so it does not use what the caller claims. Keys are never
 * recorded.
 */

export type StandInProvider =
  | 'anthropic'
  | 'anthropic-admin'
  | 'openai'
  | 'openai-admin'
  | 'gemini'
  | 'openai-compatible'
  | 'tenderly'
  | 'rpc'
  | 'etherscan'
  | 'pinecone';

export interface Call {
  /** The time of arrival, as ISO 8601. */
  readonly at: string;
  readonly provider: StandInProvider;
  readonly method: string;
  /** The path without its query, and with `…` in place of a key. */
  readonly path: string;
  /** The owner of the key, also after the key was revoked; `unknown-key` or `no-key` if it has no owner. */
  readonly owner: string;
  /** The workspace that the call is for, by the request's content and never its key; absent if the content has none. */
  readonly expectedOwner?: string;
  /** The HTTP status of the answer; absent while the call is held, or if the connection ended without an answer. */
  readonly status?: number;
}

/** Selects calls. An absent field fits every call. */
export interface CallMatch {
  readonly provider?: StandInProvider;
  readonly owner?: string;
  readonly path?: string;
  /** Text that the request's body contains. */
  readonly bodyIncludes?: string;
}

export function fits(match: CallMatch, call: Call, body: string): boolean {
  return (
    (match.provider ?? call.provider) === call.provider &&
    (match.owner ?? call.owner) === call.owner &&
    (match.path ?? call.path) === call.path &&
    body.includes(match.bodyIncludes ?? '')
  );
}

/** Whether a call for one workspace came with another key: another workspace's, an unknown one, or none. */
export function isWrongKey({ owner, expectedOwner }: Call): boolean {
  return expectedOwner !== undefined && owner !== expectedOwner;
}

export interface KnownKey {
  readonly owner: string;
  readonly admitted: boolean;
}

/** The keys that a service accepts or accepted, and their owners. */
export class KeyRing {
  readonly #keys = new Map<string, Map<string, KnownKey>>();

  admit(provider: StandInProvider, key: string, owner: string): void {
    if (!this.#keys.has(provider)) this.#keys.set(provider, new Map());
    this.#keys.get(provider)?.set(key, { owner, admitted: true });
  }

  /** All keys that the service ever accepted, in order. */
  known(provider: StandInProvider): readonly (KnownKey & { readonly key: string })[] {
    return [...(this.#keys.get(provider) ?? [])].map(([key, known]) => ({ key, ...known }));
  }

  /** Revokes the key at all services. It stays known, so that a late call with it is still attributed. */
  revoke(key: string): void {
    for (const keys of this.#keys.values()) {
      const known = keys.get(key);
      if (known) keys.set(key, { ...known, admitted: false });
    }
  }

  find(provider: StandInProvider, key: string | undefined): KnownKey {
    if (key === undefined) return { owner: 'no-key', admitted: false };
    return this.#keys.get(provider)?.get(key) ?? { owner: 'unknown-key', admitted: false };
  }
}
