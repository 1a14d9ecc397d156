/** The files of a set-up: which settings each has, and where they are kept. A file that exists is never replaced. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatEnvFile, parseEnvFile } from '../../config/env-files.js';
import { folderRefused, PrivateFolder } from './private-folder.js';

/**
 * The settings for services that start workflows, for the CLI and services that manage providers, and for workers, in
 * the order in which the files are written. The public keys in the worker's file are made from the private keys in the
 * others, so it is the last: whenever the program is killed, the next run can complete the files.
 */
export const PARTS = {
  starter: { file: 'starter.env', settings: ['PROVIDER_GRANT_SIGNING_KEY'] },
  manager: {
    file: 'manager.env',
    settings: ['PROVIDER_MANAGER_DATABASE_URL', 'ENCRYPTION_KEY', 'PROVIDER_GRANT_SIGNING_KEY'],
  },
  worker: { file: 'worker.env', settings: ['PROVIDER_DATABASE_URL', 'ENCRYPTION_KEY', 'PROVIDER_GRANT_KEYS'] },
} as const;

export type Part = keyof typeof PARTS;

export type SetupSettings = {
  readonly [Name in Part]: Readonly<Record<(typeof PARTS)[Name]['settings'][number], string>>;
};

export const PART_NAMES = Object.keys(PARTS) as Part[];

/** Where a set-up is kept. */
export interface SetupDestination {
  /** Makes sure that something can be written, before anything is changed. Returns what is kept already. */
  read(): Promise<Partial<SetupSettings>>;
  write(part: Part, settings: Readonly<Record<string, string>>): Promise<void>;
}

const READABLE_BY_OTHERS = 0o077;

export class SetupFolder implements SetupDestination {
  readonly #files: PrivateFolder;

  constructor(folder: string) {
    this.#files = new PrivateFolder(folder);
  }

  pathOf(part: Part): string {
    return join(this.#files.path, PARTS[part].file);
  }

  async read(): Promise<Partial<SetupSettings>> {
    const read = await Promise.all(PART_NAMES.map(async (part) => [part, await this.#readPart(part)] as const));
    const found = read.filter(([, settings]) => settings !== undefined);
    if (found.length < PART_NAMES.length) await this.#files.prepare();
    return Object.fromEntries(found);
  }

  async write(part: Part, settings: Readonly<Record<string, string>>): Promise<void> {
    if (await this.#files.create(PARTS[part].file, formatEnvFile(settings))) return;
    throw folderRefused(`another program has just written ${this.pathOf(part)}: run the command again`);
  }

  /** The files that other users of the machine may read. */
  async exposed(): Promise<readonly string[]> {
    const paths = PART_NAMES.map((part) => this.pathOf(part));
    const modes = await Promise.all(paths.map(async (path) => (await stat(path)).mode));
    if (process.platform === 'win32') return [];
    return paths.filter((_, index) => ((modes[index] ?? 0) & READABLE_BY_OTHERS) !== 0);
  }

  async #readPart(part: Part): Promise<Readonly<Record<string, string>> | undefined> {
    const path = this.pathOf(part);
    const content = await this.#files.read(PARTS[part].file);
    if (content === undefined) return undefined;
    const variables = parseEnvFile(content, path);
    const missing = PARTS[part].settings.filter((name) => !variables.get(name)?.value);
    if (missing.length > 0) {
      throw folderRefused(
        `the file ${path} has no ${missing.join(', ')}: add it, or move the file away and run the command again`,
      );
    }
    return Object.fromEntries(PARTS[part].settings.map((name) => [name, variables.get(name)?.value ?? '']));
  }
}
