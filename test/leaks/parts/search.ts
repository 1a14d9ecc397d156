/**
 * Searches bytes for every form of every canary in one pass, independent of their number: a hash table excludes nearly
 * every place. It also searches compressed members, and compressed members within those.
 */
import { open } from 'node:fs/promises';
import { membersIn } from './compressed.js';
import { type Canary, type Form, formsOf } from './forms.js';

const BEGINNING = 4;
const HASH_BITS = 18;
const DEEPEST = 2;

export interface Place {
  readonly surface: string;
  /** The file, or the name of another source of the bytes. */
  readonly source: string;
}

export interface Find extends Place {
  readonly canary: Canary;
  readonly encoding: string;
  /** The offset, of the compressed member if the finding is in one. */
  readonly offset: number;
}

export interface SearchOptions {
  /** The size of the chunks in which a file is searched. Default: 32 MiB. */
  readonly chunkBytes?: number;
  /** The overlap of chunks, so that a compressed member of that length is complete in one. Default: 1 MiB. */
  readonly overlapBytes?: number;
}

export class Search {
  /** The number of bytes of files and inflated members, each counted once. */
  bytesSearched = 0;
  readonly #finds = new Map<string, Find>();
  readonly #byBeginning = new Map<number, Form[]>();
  readonly #filter = new Uint8Array(1 << HASH_BITS);
  readonly #chunkBytes: number;
  readonly #overlapBytes: number;

  constructor(
    canaries: readonly Canary[],
    { chunkBytes = 32 * 1024 * 1024, overlapBytes = 1024 * 1024 }: SearchOptions = {},
  ) {
    const forms = canaries.flatMap(formsOf);
    for (const form of forms) {
      const beginning = form.bytes.readUInt32BE(0);
      this.#byBeginning.set(beginning, [...(this.#byBeginning.get(beginning) ?? []), form]);
      this.#filter[slot(beginning)] = 1;
    }
    this.#overlapBytes = Math.max(overlapBytes, ...forms.map(({ bytes }) => bytes.length));
    this.#chunkBytes = Math.max(chunkBytes, 2 * this.#overlapBytes);
  }

  /** The findings, each place once. */
  get finds(): readonly Find[] {
    return [...this.#finds.values()];
  }

  bytes(bytes: Uint8Array, place: Place): void {
    this.#look(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), place, 0);
    this.bytesSearched += bytes.byteLength;
  }

  async file(path: string, place: Place): Promise<void> {
    const file = await open(path);
    try {
      const buffer = Buffer.alloc(this.#chunkBytes);
      let [kept, offset] = [0, 0];
      for (;;) {
        const { bytesRead } = await file.read(buffer, kept, buffer.length - kept);
        if (bytesRead === 0) return;
        this.bytesSearched += bytesRead;
        const filled = kept + bytesRead;
        this.#look(buffer.subarray(0, filled), place, offset);
        kept = Math.min(filled, this.#overlapBytes);
        buffer.copyWithin(0, filled - kept, filled);
        offset += filled - kept;
      }
    } finally {
      await file.close();
    }
  }

  #look(bytes: Buffer, place: Place, offset: number, depth = 0): void {
    const filter = this.#filter;
    let word = 0;
    for (let last = 0; last < bytes.length; last += 1) {
      word = ((word << 8) | (bytes[last] as number)) >>> 0;
      if (filter[slot(word)] === 1 && last >= BEGINNING - 1)
        this.#compare(bytes, last + 1 - BEGINNING, word, place, offset);
    }
    if (depth === DEEPEST) return;
    for (const { at, content } of membersIn(bytes)) {
      this.bytesSearched += content.length;
      const source = `${place.source}, inflated from ${offset + at} on`;
      this.#look(content, { ...place, source }, 0, depth + 1);
    }
  }

  #compare(bytes: Buffer, at: number, beginning: number, place: Place, offset: number): void {
    for (const { canary, encoding, bytes: form } of this.#byBeginning.get(beginning) ?? []) {
      const end = at + form.length;
      if (end > bytes.length || bytes.compare(form, 0, form.length, at, end) !== 0) continue;
      const find = { ...place, canary, encoding, offset: offset + at };
      this.#finds.set([place.surface, place.source, canary.kind, encoding, find.offset].join('\0'), find);
    }
  }
}

function slot(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
}
