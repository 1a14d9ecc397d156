/**
 * The lines of an import: NDJSON as it arrives from a file or a pipe, or a list of providers in memory. A line of NDJSON
 * ends only at a line feed: other separators, such as U+2028, may be part of a JSON text.
 */
import { parseJson } from '../redaction/parse-json.js';
import type { ConfigureProviderInput } from './provider-inputs.js';

/** Providers, or the bytes or text of NDJSON, as a file's stream or stdin delivers them: one provider per line. */
export type ImportSource =
  | Iterable<ConfigureProviderInput>
  | AsyncIterable<ConfigureProviderInput>
  | AsyncIterable<Uint8Array | string>;

/** A line that is not blank. */
export interface ImportLine {
  /** Counted from 1. In a list of providers, the place in the list. */
  readonly line: number;
  /** Not checked. */
  readonly value?: unknown;
  /** Why there is no value. It follows the line's number. */
  readonly problem?: string;
}

/** Longer than the largest config and the largest secret together. */
const MAX_LINE_BYTES = 128 * 1024;
const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = /^\uFEFF/;

export async function* readLines(source: ImportSource): AsyncGenerator<ImportLine> {
  const splitter = new LineSplitter();
  let line = 0;
  for await (const item of source) {
    if (typeof item !== 'string' && !(item instanceof Uint8Array)) {
      line += 1;
      yield { line, value: item };
      continue;
    }
    for (const bytes of splitter.push(Buffer.isBuffer(item) ? item : Buffer.from(item))) {
      line += 1;
      yield* parseLine(line, bytes);
    }
  }
  yield* parseLine(line + 1, splitter.rest());
}

/** `undefined` in place of a line that is too long: no more than the limit is kept of it. */
type LineBytes = Buffer | undefined;

class LineSplitter {
  #parts: Buffer[] = [];
  #bytes = 0;

  *push(chunk: Buffer): Generator<LineBytes> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      this.#keep(chunk.subarray(start, end));
      yield this.rest();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** What has arrived of the current line. The next one begins. */
  rest(): LineBytes {
    const line = this.#bytes > MAX_LINE_BYTES ? undefined : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return line;
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes <= MAX_LINE_BYTES) this.#parts.push(part);
    else this.#parts = [];
  }
}

function* parseLine(line: number, bytes: LineBytes): Generator<ImportLine> {
  if (!bytes) {
    yield { line, problem: `is longer than ${MAX_LINE_BYTES / 1024} KiB` };
    return;
  }
  const text = decode(bytes);
  if (text === undefined) {
    yield { line, problem: 'is not UTF-8 text' };
    return;
  }
  if (text.trim() === '') return;
  const value = parseJson(line === 1 ? text.replace(BYTE_ORDER_MARK, '') : text);
  yield value === undefined ? { line, problem: 'is not valid JSON: write one provider per line' } : { line, value };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
