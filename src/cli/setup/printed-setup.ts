/** Prints a set-up in place of keeping it: for people and programs who keep secrets elsewhere. */
import { formatEnvFile } from '../../config/env-files.js';
import type { Output } from '../terminal/output.js';
import { PARTS, type Part, type SetupDestination } from './setup-files.js';

export class PrintedSetup implements SetupDestination {
  readonly #documents: Partial<Record<Part, object>> = {};

  constructor(private readonly output: Output) {}

  /** Nothing is kept here, so an existing login is refused: its password cannot be printed. */
  async read(): Promise<Record<string, never>> {
    return {};
  }

  async write(part: Part, settings: Readonly<Record<string, string>>): Promise<void> {
    this.#documents[part] = settings;
    this.output.print(`# ${PARTS[part].file}\n${formatEnvFile(settings)}`);
    const names = Object.keys(this.#documents);
    if (names.length === Object.keys(PARTS).length) this.output.document(this.#documents);
  }
}
