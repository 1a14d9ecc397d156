import type { ProviderReference } from '../protocol/references.js';

/**
 * The answers of a workspace to warm reads: the references of the first four providers that were opened. They are fields
 * of the entry itself, because each further object that a read touches costs a miss of the processor's cache, and with
 * many workspaces these misses are most of what a warm read costs. An agent rarely uses more than four providers.
 */
export class WarmAnswers {
  // Not `#private`: such fields cost a warm read a fifth more time.
  private type0: string | undefined;
  private name0: string | undefined;
  private answer0: ProviderReference | undefined;
  private promise0: Promise<ProviderReference> | undefined;
  private type1: string | undefined;
  private name1: string | undefined;
  private answer1: ProviderReference | undefined;
  private promise1: Promise<ProviderReference> | undefined;
  private type2: string | undefined;
  private name2: string | undefined;
  private answer2: ProviderReference | undefined;
  private promise2: Promise<ProviderReference> | undefined;
  private type3: string | undefined;
  private name3: string | undefined;
  private answer3: ProviderReference | undefined;
  private promise3: Promise<ProviderReference> | undefined;

  /** The reference of a provider that is active and opened, if it is among the first four. */
  warm(type: string, name: string): ProviderReference | undefined {
    if (this.name0 === name && this.type0 === type) return this.answer0;
    if (this.name1 === name && this.type1 === type) return this.answer1;
    if (this.name2 === name && this.type2 === type) return this.answer2;
    if (this.name3 === name && this.type3 === type) return this.answer3;
    return undefined;
  }

  /** The same as a promise, which was made once. */
  promised(type: string, name: string): Promise<ProviderReference> | undefined {
    if (this.name0 === name && this.type0 === type) return this.promise0;
    if (this.name1 === name && this.type1 === type) return this.promise1;
    if (this.name2 === name && this.type2 === type) return this.promise2;
    if (this.name3 === name && this.type3 === type) return this.promise3;
    return undefined;
  }

  /** @param answer - of a provider that is active, and was opened for the first time */
  protected keepWarm(answer: ProviderReference): void {
    const { type, name } = answer;
    const promise = Promise.resolve(answer);
    if (this.answer0 === undefined)
      [this.type0, this.name0, this.answer0, this.promise0] = [type, name, answer, promise];
    else if (this.answer1 === undefined)
      [this.type1, this.name1, this.answer1, this.promise1] = [type, name, answer, promise];
    else if (this.answer2 === undefined)
      [this.type2, this.name2, this.answer2, this.promise2] = [type, name, answer, promise];
    else if (this.answer3 === undefined)
      [this.type3, this.name3, this.answer3, this.promise3] = [type, name, answer, promise];
  }
}
