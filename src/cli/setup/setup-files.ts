/**
 * The files of a set-up: which settings each has, and where they are kept. A file is written whole or not at all, only
 * its owner may read it, and one that exists is never replaced.
 */
import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatEnvFile, parseEnvFile } from '../../config/env-files.js';
import { ProviderError } from '../../protocol/errors.js';

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

/** File systems without hard links. */
const NO_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'ENOSYS', 'EPROTO', 'EMLINK'];
const READABLE_BY_OTHERS = 0o077;

export class SetupFolder implements SetupDestination {
  constructor(readonly folder: string) {}

  pathOf(part: Part): string {
    return join(this.folder, PARTS[part].file);
  }

  async read(): Promise<Partial<SetupSettings>> {
    const read = await Promise.all(PART_NAMES.map(async (part) => [part, await this.#readPart(part)] as const));
    const found = read.filter(([, settings]) => settings !== undefined);
    if (found.length < PART_NAMES.length) await this.#prepare();
    return Object.fromEntries(found);
  }

  async write(part: Part, settings: Readonly<Record<string, string>>): Promise<void> {
    await this.#create(PARTS[part].file, formatEnvFile(settings)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      throw refused(`another program has just written ${this.pathOf(part)}: run init again`);
    });
  }

  /** The files that other users of the machine may read. */
  async exposed(): Promise<readonly string[]> {
    const paths = PART_NAMES.map((part) => this.pathOf(part));
    const modes = await Promise.all(paths.map(async (path) => (await stat(path)).mode));
    if (process.platform === 'win32') return [];
    return paths.filter((_, index) => ((modes[index] ?? 0) & READABLE_BY_OTHERS) !== 0);
  }

  /** Makes the folder, and keeps its files out of git. */
  async #prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 }).catch(() => {
      throw refused(`the folder ${this.folder} cannot be made: check its path and its permissions`);
    });
    await this.#create('.gitignore', '*\n').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const probe = `.${randomUUID()}`;
    await this.#create(probe, '');
    await rm(join(this.folder, probe));
  }

  async #readPart(part: Part): Promise<Readonly<Record<string, string>> | undefined> {
    const path = this.pathOf(part);
    const content = await readFile(path, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw refused(`the file ${path} cannot be read: check its permissions`);
    });
    if (content === undefined) return undefined;
    const variables = parseEnvFile(content, path);
    const missing = PARTS[part].settings.filter((name) => !variables.get(name)?.value);
    if (missing.length > 0) {
      throw refused(`the file ${path} has no ${missing.join(', ')}: add it, or move the file away and run init again`);
    }
    return Object.fromEntries(PARTS[part].settings.map((name) => [name, variables.get(name)?.value ?? '']));
  }

  /** @throws as `link`, with code `EEXIST`, if the file exists */
  async #create(name: string, content: string): Promise<void> {
    const path = join(this.folder, name);
    const written = join(this.folder, `.${randomUUID()}`);
    try {
      const file = await open(written, 'wx', 0o600);
      await file
        .writeFile(content)
        .then(() => file.sync())
        .finally(() => file.close());
      await link(written, path).catch((error: NodeJS.ErrnoException) => {
        if (!NO_LINKS.includes(error.code ?? '')) throw error;
        return copyFile(written, path, constants.COPYFILE_EXCL);
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
      throw refused(`no file can be written in the folder ${this.folder}: check its permissions and the free space`);
    } finally {
      await rm(written, { force: true });
    }
  }
}

function refused(message: string): ProviderError {
  return new ProviderError('SetupInvalid', message, { fields: ['--folder'] });
}
