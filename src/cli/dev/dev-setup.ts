/**
 * The set-up of `dev`, in the files that `init` writes for a database of one's own. They are written again at each
 * start, because a server may be at another port then; what they keep of earlier runs stays the same.
 */
import { randomBytes } from 'node:crypto';
import { formatEnvFile } from '../../config/env-files.js';
import { setUp } from '../setup/set-up.js';
import { PART_NAMES, PARTS, type SetupDestination, SetupFolder, type SetupSettings } from '../setup/setup-files.js';
import type { ExtraSettings } from './dev-environment.js';
import type { DevFolder } from './dev-folder.js';

export interface DevSetupOptions {
  /** Of the database, for a login that may migrate. */
  readonly adminUrl: string;
  readonly rootKeys: string | undefined;
  /** Whether the database outlives this run, so that the logins in it must be dropped. */
  readonly dropsLogins: boolean;
  readonly extra: ExtraSettings;
}

export async function setUpDev(folder: DevFolder, options: DevSetupOptions): Promise<SetupSettings> {
  const { adminUrl, rootKeys, dropsLogins, extra } = options;
  const loginPrefix = `dev_${randomBytes(6).toString('hex')}`;
  if (dropsLogins) await folder.rememberLogins([`${loginPrefix}_worker`, `${loginPrefix}_manager`]);
  const { settings } = await setUp({ adminUrl, loginPrefix, rootKeys }, destination(folder, adminUrl));
  for (const part of PART_NAMES)
    await folder.files.replace(PARTS[part].file, formatEnvFile({ ...settings[part], ...extra[part] }));
  return settings;
}

/** Reads the URLs of an earlier run as those of the server of this run. */
function destination(folder: DevFolder, adminUrl: string): SetupDestination {
  const files = new SetupFolder(folder.files.path);
  return {
    async read() {
      const { worker, manager, starter } = await files.read();
      const here = (url: string) => atServer(url, adminUrl);
      return {
        ...(starter && { starter }),
        ...(worker && { worker: { ...worker, PROVIDER_DATABASE_URL: here(worker.PROVIDER_DATABASE_URL) } }),
        ...(manager && {
          manager: { ...manager, PROVIDER_MANAGER_DATABASE_URL: here(manager.PROVIDER_MANAGER_DATABASE_URL) },
        }),
      };
    },
    write: (part, settings) => files.write(part, settings),
  };
}

function atServer(url: string, serverUrl: string): string {
  const moved = new URL(url);
  const { hostname, port } = new URL(serverUrl);
  moved.hostname = hostname;
  moved.port = port;
  return moved.href;
}
