import type { ProviderReference } from '../protocol/references.js';
import type { WorkspaceCache } from './workspace-cache.js';

/** One answer for several callers. */
export interface JoinedAnswer {
  readonly reference: Promise<ProviderReference>;
  /** How many callers wait for it besides the one who asked first. */
  followers: number;
}

/**
 * The answers to callers who ask for the same provider while a load of its workspace is under way. They share one
 * answer, because with a thousand callers of one load, each promise more per caller shows.
 *
 * Nobody who asks after the load has ended shares it, so the answer owes the same to all of them: if the lease does not
 * vouch for the load, the answer comes from a load that began after all of them had asked.
 */
export class JoinedAnswers {
  constructor(
    private readonly cache: Pick<WorkspaceCache, 'loadUnderWay' | 'countJoined'>,
    private readonly find: (workspaceId: string, type: string, name: string) => Promise<ProviderReference>,
  ) {}

  /** The shared answer, or `undefined` if no load is under way. */
  of(workspaceId: string, type: string, name: string): Promise<ProviderReference> | undefined {
    const load = this.cache.loadUnderWay(workspaceId);
    if (load === undefined) return undefined;
    const asked = `${type}\0${name}`;
    const shared = load.answers.get(asked);
    if (shared !== undefined) {
      shared.followers += 1;
      return shared.reference;
    }
    const answer: JoinedAnswer = { reference: this.find(workspaceId, type, name), followers: 0 };
    load.answers.set(asked, answer);
    // A failure is told to the callers, and counts nothing, like that of a single caller.
    answer.reference.then(
      () => this.cache.countJoined(answer.followers),
      () => {},
    );
    return answer.reference;
  }
}
