/**
 * Writes the history of a fault run to a file, as JSON lines, for a checker that is not this project's: `porcupine`. Of
 * each reader it has the first and the last read of each version until each report, ten times a second. A read between
 * two others that returned the same version proves nothing more. Times are of one monotonic clock, in ns.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Change, Observation } from './parts/observations.js';

export class HistoryFile {
  readonly #file: WriteStream;
  readonly #known = new Set<string>();
  #error: Error | undefined;

  constructor(path: string) {
    this.#file = createWriteStream(path).on('error', (error) => (this.#error = error));
  }

  /** Writes what the reader has newly reported. */
  read(reader: string, observation: Observation): void {
    const { key, version, firstInvokedAt, firstReturnedAt, lastInvokedAt, lastReturnedAt } = observation;
    const read = { client: reader, kind: 'read', key, version };
    const id = `${reader} ${key} ${version}`;
    if (!this.#known.has(id)) this.#write({ ...read, call: firstInvokedAt, return: firstReturnedAt });
    this.#known.add(id);
    this.#write({ ...read, call: lastInvokedAt, return: lastReturnedAt });
  }

  /** Writes the changes that have ended. `fenced`: a fence of the change was reported, with this version. */
  async end(changes: readonly Change[]): Promise<void> {
    for (const { id, key, version, startedAt, endedAt } of changes) {
      if (endedAt === undefined) continue;
      const fenced = version !== undefined;
      this.#write({
        client: id,
        kind: 'write',
        key,
        call: startedAt,
        return: endedAt,
        fenced,
        ...(fenced && { version }),
      });
    }
    this.#file.end();
    await finished(this.#file);
    if (this.#error) throw this.#error;
  }

  #write(line: object): void {
    this.#file.write(`${JSON.stringify(line)}\n`);
  }
}
