/** A Temporal dev server that can be killed and restarted with the same address, and its workflows from a file. */
import { startTemporal } from '../../../src/dev/temporal.js';
import { kill } from './signals.js';

export interface RestartableTemporal {
  /** The address of the frontend, which a restart does not change. */
  readonly address: string;
  /** The process id of the current or the last server. */
  readonly pid: number;
  /** Kills it by SIGKILL, so that it writes nothing more. It stays down until `restart()`. */
  crash(): Promise<void>;
  /** Starts on the same ports and file. Crashes it first if it still runs. */
  restart(): Promise<void>;
  /** Stops it cleanly, and keeps the file. Idempotent. */
  stop(): Promise<void>;
}

/**
 * @param dbFile - created if it is missing
 * @throws PartUnavailable if there is no Temporal CLI, or the server does not become healthy
 */
export async function startRestartableTemporal(dbFile: string): Promise<RestartableTemporal> {
  let server = await startTemporal({ dbFile });
  const { address, uiUrl } = server;
  const [port, uiPort] = [`tcp://${address}`, uiUrl].map((url) => Number(new URL(url).port));
  const crash = async () => {
    await kill(server.pid);
    await server.stop(); // removes its other files, but not the database file
  };
  return {
    address,
    get pid() {
      return server.pid;
    },
    crash,
    restart: async () => {
      await crash();
      server = await startTemporal({ dbFile, port: port!, uiPort: uiPort! });
    },
    stop: () => server.stop(),
  };
}
