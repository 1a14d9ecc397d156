import type { ProviderIdentity, ProviderReference } from '../protocol/references.js';
import type { HeldVersion } from '../protocol/rotation.js';

interface Scope {
  version: number;
  readonly sinceMs: number;
}

/** A callback that holds a credential, or is about to. */
export interface OpenScope {
  /** The credential was read: this version is held from now on. */
  opened(reference: ProviderReference): void;
  /** The callback has ended. */
  release(): void;
}

/** The version of the platform's credential. A workspace cannot rotate it, so no version is newer. */
const NEWEST = Number.POSITIVE_INFINITY;

export class OpenScopes {
  readonly #scopes = new Map<string, Set<Scope>>();
  readonly #released = new EventTarget();

  /**
   * @param reference - the reference that will be opened: its version is held until `opened` reports the one that was
   *   read
   */
  hold(reference: ProviderReference): OpenScope {
    const key = keyOf(reference);
    const scope: Scope = { version: reference.version, sinceMs: performance.now() };
    const scopes = this.#scopes.get(key) ?? new Set();
    this.#scopes.set(key, scopes.add(scope));
    return {
      opened: ({ version, source }) => {
        const before = scope.version;
        scope.version = source === 'platform' ? NEWEST : version;
        if (scope.version > before) this.#released.dispatchEvent(new Event(key));
      },
      release: () => {
        scopes.delete(scope);
        if (scopes.size === 0 && this.#scopes.get(key) === scopes) this.#scopes.delete(key);
        this.#released.dispatchEvent(new Event(key));
      },
    };
  }

  /** The versions older than `version` that are held, the oldest first. */
  heldBelow(provider: ProviderIdentity, version: number): HeldVersion[] {
    const nowMs = performance.now();
    const held = new Map<number, HeldVersion>();
    for (const scope of this.#scopes.get(keyOf(provider)) ?? []) {
      if (scope.version >= version) continue;
      const sofar = held.get(scope.version) ?? { version: scope.version, count: 0, longestMs: 0 };
      const longestMs = Math.max(sofar.longestMs, Math.round(nowMs - scope.sinceMs));
      held.set(scope.version, { ...sofar, count: sofar.count + 1, longestMs });
    }
    return [...held.values()].sort((a, b) => a.version - b.version);
  }

  /** Resolves once no version older than `version` is held. @throws what `signal` was aborted with */
  async waitUntilReleased(provider: ProviderIdentity, version: number, signal: AbortSignal): Promise<void> {
    const key = keyOf(provider);
    while (this.heldBelow(provider, version).length > 0) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#released.removeEventListener(key, wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#released.addEventListener(key, wake);
        signal.addEventListener('abort', wake);
      });
    }
  }
}

function keyOf({ workspaceId, type, name }: ProviderIdentity): string {
  return `${workspaceId}/${type}/${name}`;
}
