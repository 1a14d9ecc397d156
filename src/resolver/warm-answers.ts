import type { ProviderReference } from '../protocol/references.js';
import type { WorkspaceEntry } from './workspace-entry.js';

/** An agent rarely uses more. */
const PROVIDERS_PER_ENTRY = 4;
/** Type, name, and answer. */
const FIELDS = 3;
const FIELDS_PER_ENTRY = PROVIDERS_PER_ENTRY * FIELDS;

/**
 * The entries of the cache, and beside them their answers to warm reads: the references of the first four providers that
 * were opened. All of it is in a few arrays, because entries are scattered among everything that the workspaces have
 * stored, and with many workspaces each scattered object that a read touches costs more than all else that it does.
 */
export class WarmAnswers {
  readonly #slots = new Map<string, number>();
  readonly #freeSlots: number[] = [];
  // By slot.
  readonly #entries: (WorkspaceEntry | undefined)[] = [];
  readonly #usedAtLoad: number[] = [];
  readonly #answers: (string | ProviderReference | undefined)[] = [];

  /** Where the workspace is, until it is removed. */
  slotOf(workspaceId: string): number | undefined {
    return this.#slots.get(workspaceId);
  }

  entryAt(slot: number): WorkspaceEntry {
    return this.#entries[slot] as WorkspaceEntry;
  }

  /** The reference of a provider that is active and opened, if it is among the first four. */
  answerAt(slot: number, type: string, name: string): ProviderReference | undefined {
    const answers = this.#answers;
    for (let at = slot * FIELDS_PER_ENTRY, end = at + FIELDS_PER_ENTRY; at < end; at += FIELDS) {
      if (answers[at + 1] === name && answers[at] === type) return answers[at + 2] as ProviderReference;
    }
    return undefined;
  }

  /** Notes a use. @returns whether it is the first one since that load began */
  noteUse(slot: number, load: number): boolean {
    if (this.#usedAtLoad[slot] === load) return false;
    this.#usedAtLoad[slot] = load;
    return true;
  }

  set(workspaceId: string, entry: WorkspaceEntry): void {
    this.delete(workspaceId);
    const slot = this.#freeSlots.pop() ?? this.#entries.length;
    this.#slots.set(workspaceId, slot);
    this.#entries[slot] = entry;
    this.#usedAtLoad[slot] = 0;
    this.#clearAnswers(slot);
    entry.onOpened((reference) => {
      if (this.#entries[slot] === entry) this.#keep(slot, reference);
    });
  }

  delete(workspaceId: string): void {
    const slot = this.#slots.get(workspaceId);
    if (slot === undefined) return;
    this.#slots.delete(workspaceId);
    this.#entries[slot] = undefined;
    this.#clearAnswers(slot);
    this.#freeSlots.push(slot);
  }

  #clearAnswers(slot: number): void {
    // Not `fill`: it does not lengthen the array for a new slot.
    for (let field = 0; field < FIELDS_PER_ENTRY; field += 1)
      this.#answers[slot * FIELDS_PER_ENTRY + field] = undefined;
  }

  #keep(slot: number, reference: ProviderReference): void {
    const answers = this.#answers;
    for (let at = slot * FIELDS_PER_ENTRY, end = at + FIELDS_PER_ENTRY; at < end; at += FIELDS) {
      if (answers[at] !== undefined) continue;
      [answers[at], answers[at + 1], answers[at + 2]] = [interned(reference.type), interned(reference.name), reference];
      return;
    }
  }
}

/**
 * V8 keeps one copy of each property name, as of each literal, and compares two of them by address, not letter by letter.
 */
function interned(text: string): string {
  return Object.keys({ [text]: true })[0] ?? text;
}
