/**
 * What holds a credential in this process, or is about to: a request in flight, until its answer has ended, and a
 * callback to which the credential was revealed. When a workspace has changed, what they hold of it may be older than
 * what is served from then on: they are outdated, and each renewal of the lease reports them until they have ended. What
 * begins later reads what is served then, so it is not reported. A callback that only runs holds nothing.
 */
import type { ProviderReference } from '../protocol/references.js';
import type { HeldCredential } from '../store/ports.js';

interface Scope {
  readonly reference: ProviderReference;
  version: number;
  readonly sinceMs: number;
  isOutdated: boolean;
}

/** A request or a callback that holds a credential, or is about to. */
export interface OpenScope {
  /** Whether the workspace has changed since it began. */
  readonly isOutdated: boolean;
  /** The credential was read: this version is held from now on. */
  opened(reference: ProviderReference): void;
  /** It has ended. */
  release(): void;
}

/** The version of the platform's credential. A workspace cannot rotate it, so no version is newer. */
const NEWEST = Number.POSITIVE_INFINITY;

/** With more, the row of the worker would become large. The worker then counts as a holder of everything. */
const MOST_REPORTED = 200;

export class OpenScopes {
  /** By workspace. */
  readonly #scopes = new Map<string, Set<Scope>>();
  #onChange = () => {};

  /** @param onChange - called when an outdated holder has ended, or holds a newer version: a report would be shorter */
  watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  /** Whether nothing holds a credential. */
  get isEmpty(): boolean {
    return this.#scopes.size === 0;
  }

  /**
   * @param reference - the reference that will be opened: its version is held until `opened` reports the one that was
   *   read
   */
  hold(reference: ProviderReference): OpenScope {
    const { workspaceId, version } = reference;
    const scope: Scope = { reference, version, sinceMs: performance.now(), isOutdated: false };
    const scopes = this.#scopes.get(workspaceId) ?? new Set();
    this.#scopes.set(workspaceId, scopes.add(scope));
    return {
      get isOutdated() {
        return scope.isOutdated;
      },
      opened: ({ version: opened, source }) => {
        const before = scope.version;
        scope.version = source === 'platform' ? NEWEST : opened;
        if (scope.isOutdated && scope.version > before) this.#onChange();
      },
      release: () => {
        if (!scopes.delete(scope)) return;
        if (scopes.size === 0 && this.#scopes.get(workspaceId) === scopes) this.#scopes.delete(workspaceId);
        if (scope.isOutdated) this.#onChange();
      },
    };
  }

  /** Called before a change of these workspaces counts as applied. @param workspaceIds - default: all workspaces */
  outdate(workspaceIds: Iterable<string> = this.#scopes.keys()): void {
    for (const workspaceId of workspaceIds) {
      for (const scope of this.#scopes.get(workspaceId) ?? []) scope.isOutdated = true;
    }
  }

  /** What outdated holders hold, by provider and version, the oldest first. `'too-many'`: it does not fit a row. */
  outdated(): readonly HeldCredential[] | 'too-many' {
    const nowMs = performance.now();
    const held = new Map<string, HeldCredential>();
    for (const { reference, version, sinceMs, isOutdated } of [...this.#scopes.values()].flatMap((each) => [...each])) {
      if (!isOutdated || version === NEWEST) continue;
      const { workspaceId, type, name } = reference;
      const key = `${workspaceId}/${type}/${name}/${version}`;
      const { count, longestMs } = held.get(key) ?? { count: 0, longestMs: 0 };
      held.set(key, {
        provider: { workspaceId, type, name },
        version,
        count: count + 1,
        longestMs: Math.max(longestMs, Math.round(nowMs - sinceMs)),
      });
      if (held.size > MOST_REPORTED) return 'too-many';
    }
    return [...held.values()].sort((a, b) => a.version - b.version);
  }
}
