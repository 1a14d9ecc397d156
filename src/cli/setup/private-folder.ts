/**
 * A folder of files with secrets. A file is written whole or not at all, and only its owner may read it.
 */
import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ProviderError } from '../../protocol/errors.js';

/** File systems without hard links. */
const NO_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'ENOSYS', 'EPROTO', 'EMLINK'];

export class PrivateFolder {
  constructor(readonly path: string) {}

  /**
   * Makes the folder, keeps its files out of git, and makes sure that it can be written.
   *
   * @param mode - of folders that are made. Default: no other user may enter them.
   * @throws ProviderError `SetupInvalid`
   */
  async prepare(mode = 0o700): Promise<void> {
    await mkdir(this.path, { recursive: true, mode }).catch(() => {
      throw folderRefused(`the folder ${this.path} cannot be made: check its path and its permissions`);
    });
    await this.create('.gitignore', '*\n');
    const probe = `.${randomUUID()}`;
    await this.create(probe, '');
    await rm(join(this.path, probe));
  }

  /** @returns `undefined` if there is no such file @throws ProviderError `SetupInvalid` if it cannot be read */
  async read(name: string): Promise<string | undefined> {
    const path = join(this.path, name);
    return readFile(path, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw folderRefused(`the file ${path} cannot be read: check its permissions`);
    });
  }

  /** Writes a new file. @returns false if it exists: then nothing is written @throws ProviderError `SetupInvalid` */
  async create(name: string, content: string): Promise<boolean> {
    const path = join(this.path, name);
    try {
      await this.#written(content, (written) =>
        link(written, path).catch((error: NodeJS.ErrnoException) => {
          if (!NO_LINKS.includes(error.code ?? '')) throw error;
          return copyFile(written, path, constants.COPYFILE_EXCL);
        }),
      );
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw this.#notWritable();
    }
  }

  /** Writes a file, also over an existing one. @throws ProviderError `SetupInvalid` */
  async replace(name: string, content: string): Promise<void> {
    await this.#written(content, (written) => rename(written, join(this.path, name))).catch(() => {
      throw this.#notWritable();
    });
  }

  async #written(content: string, place: (written: string) => Promise<void>): Promise<void> {
    const written = join(this.path, `.${randomUUID()}`);
    try {
      const file = await open(written, 'wx', 0o600);
      await file
        .writeFile(content)
        .then(() => file.sync())
        .finally(() => file.close());
      await place(written);
    } finally {
      await rm(written, { force: true });
    }
  }

  #notWritable(): ProviderError {
    return folderRefused(`no file can be written in the folder ${this.path}: check its permissions and the free space`);
  }
}

export function folderRefused(message: string): ProviderError {
  return new ProviderError('SetupInvalid', message, { fields: ['--folder'] });
}
