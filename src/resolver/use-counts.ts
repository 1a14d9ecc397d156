/** How often which workflow's steps were handed which credential, until it is stored: in memory, and bounded there. */

import type { ProviderReference } from '../protocol/references.js';
import type { CountedUse } from '../store/ports.js';

/** How many counts are held at most, those that are being stored among them: about 10 MB. */
export const MAX_HELD_USES = 20_000;

const MINUTE_MS = 60_000;

interface HeldUse extends CountedUse {
  count: number;
}

export class UseCounts {
  #held = new Map<string, HeldUse>();
  /** Of those that were taken and neither stored nor put back. */
  #taken = 0;
  #lost = 0;

  constructor(
    private readonly maxHeld = MAX_HELD_USES,
    private readonly now: () => number = Date.now,
  ) {}

  /** How many wait to be stored. */
  get size(): number {
    return this.#held.size;
  }

  /** How many uses were not counted, since there was no room, or what was counted could not be stored. */
  get lost(): number {
    return this.#lost;
  }

  /** @returns whether one more is held than before */
  add({ workspaceId, type, name, version }: ProviderReference, workflowType: string, workflowId: string): boolean {
    const minuteMs = Math.floor(this.now() / MINUTE_MS) * MINUTE_MS;
    // A workflow's id, which may hold anything, comes last: no two keys run together.
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
   * Hands over all that is held, to be stored: one at a time.
   *
   * @param store - false: it cannot be stored, and is lost; where it throws, it is held again
   */
  async store(store: (uses: readonly CountedUse[]) => Promise<boolean>): Promise<void> {
    const taken = this.#held;
    this.#held = new Map();
    this.#taken = taken.size;
    try {
      const uses = [...taken.values()];
      if (!(await store(uses))) this.#lost += uses.reduce((sum, { count }) => sum + count, 0);
    } catch (error) {
      // Of the same minute there may be more by now.
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
