/**
 * Counts how often the steps of a workflow received a credential. The counts stay in memory, up to a limit, until they
 * are stored.
 */

import type { ProviderReference } from '../protocol/references.js';
import type { CountedUse } from '../store/ports.js';

/** The largest number of counts that are held, including those that are being stored: about 10 MB. */
export const MAX_HELD_USES = 20_000;

const MINUTE_MS = 60_000;

interface HeldUse extends CountedUse {
  count: number;
}

export class UseCounts {
  #held = new Map<string, HeldUse>();
  /** The number of counts that are being stored. */
  #taken = 0;
  #lost = 0;

  constructor(
    private readonly maxHeld = MAX_HELD_USES,
    private readonly now: () => number = Date.now,
  ) {}

  /** The number of counts that wait to be stored. */
  get size(): number {
    return this.#held.size;
  }

  /** The number of uses that were lost, because there was no room or because they could not be stored. */
  get lost(): number {
    return this.#lost;
  }

  /** Counts a use. Returns whether that added a count. */
  add({ workspaceId, type, name, version }: ProviderReference, workflowType: string, workflowId: string): boolean {
    const minuteMs = Math.floor(this.now() / MINUTE_MS) * MINUTE_MS;
    // The workflow id may contain any character, so it comes last: different uses have different keys.
    const key = `${minuteMs} ${workspaceId} ${type} ${name} ${version} ${workflowType}\0${workflowId}`;
    const held = this.#held.get(key);
    if (held) {
      held.count += 1;
      return false;
    }
    if (this.#held.size + this.#taken >= this.maxHeld) {
      this.#lost += 1;
      return false;
    }
    const provider = { workspaceId, type, name };
    this.#held.set(key, { provider, version, workflowType, workflowId, minuteMs, count: 1 });
    return true;
  }

  /**
   * Passes all held counts to `store`. Only one call may run at a time.
   *
   * @param store - returns false if the counts can never be stored: they are lost; if it throws, they are held again
   */
  async store(store: (uses: readonly CountedUse[]) => Promise<boolean>): Promise<void> {
    const taken = this.#held;
    this.#held = new Map();
    this.#taken = taken.size;
    try {
      const uses = [...taken.values()];
      if (!(await store(uses))) this.#lost += uses.reduce((sum, { count }) => sum + count, 0);
    } catch (error) {
      // Meanwhile the same minute may have more uses.
      for (const [key, use] of this.#held) {
        const before = taken.get(key);
        if (before) before.count += use.count;
        else taken.set(key, use);
      }
      this.#held = taken;
      throw error;
    } finally {
      this.#taken = 0;
    }
  }
}
