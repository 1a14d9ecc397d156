/**
 * What reached a stand-in: with whose key, and for whom. It is the service's side of the proof that every call came
 * with its own workspace's key, so it rests on nothing that the caller says about itself. Keys are never recorded.
 */

export type StandInProvider =
  | 'anthropic'
  | 'anthropic-admin'
  | 'openai'
  | 'openai-admin'
  | 'gemini'
  | 'openai-compatible'
  | 'tenderly'
  | 'rpc';

export interface Call {
  /** When it arrived, ISO 8601. */
  readonly at: string;
  readonly provider: StandInProvider;
  readonly method: string;
  /** Without its query, and with `…` where a key stands in it. */
  readonly path: string;
  /** Whose key it came with, also after that key was revoked; `unknown-key` or `no-key` where it is nobody's. */
  readonly owner: string;
  /** For whom it was made, as the request itself tells and never its key; absent where the request does not tell. */
  readonly expectedOwner?: string;
  /** HTTP status of the answer; absent while the call is held, and where the connection ended without an answer. */
  readonly status?: number;
}

/** Which calls are meant; an absent field fits every call. */
export interface CallMatch {
  readonly provider?: StandInProvider;
  readonly owner?: string;
  readonly path?: string;
  /** Text that stands in the request's body. */
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

/** A call made for one workspace with a key that is not its own: another workspace's, nobody's, or none. */
export function isWrongKey({ owner, expectedOwner }: Call): boolean {
  return expectedOwner !== undefined && owner !== expectedOwner;
}

export interface KnownKey {
  readonly owner: string;
  readonly admitted: boolean;
}

/** Which keys a service accepts, and whose they are or were. */
export class KeyRing {
  readonly #keys = new Map<string, Map<string, KnownKey>>();

  admit(provider: StandInProvider, key: string, owner: string): void {
    if (!this.#keys.has(provider)) this.#keys.set(provider, new Map());
    this.#keys.get(provider)?.set(key, { owner, admitted: true });
  }

  /** Those that the service ever accepted, in that order. */
  known(provider: StandInProvider): readonly (KnownKey & { readonly key: string })[] {
    return [...(this.#keys.get(provider) ?? [])].map(([key, known]) => ({ key, ...known }));
  }

  /** At whichever services it was admitted. The key stays known, so that a late call with it is still attributed. */
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
