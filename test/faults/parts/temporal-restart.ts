/** A Temporal dev server that is killed and comes back: same address, same workflows, from its database file. */
import { startTemporal } from '../../../src/dev/temporal.js';
import { kill } from './signals.js';

export interface RestartableTemporal {
  /** Of the frontend; the same after a restart. */
  readonly address: string;
  /** Of the server that runs now, or ran last. */
  readonly pid: number;
  /** By SIGKILL: nothing is written any more. It stays away until `restart()`. */
  crash(): Promise<void>;
  /** On the same ports and file. Crashes first where it still runs. */
  restart(): Promise<void>;
  /** In order; the file stays. Idempotent. */
  stop(): Promise<void>;
}

/**
 * @param dbFile - created where it is missing
 * @throws PartUnavailable where there is no Temporal CLI, or the server does not get healthy
 */
export async function startRestartableTemporal(dbFile: string): Promise<RestartableTemporal> {
  let server = await startTemporal({ dbFile });
  const { address, uiUrl } = server;
  const [port, uiPort] = [`tcp://${address}`, uiUrl].map((url) => Number(new URL(url).port));
  const crash = async () => {
    await kill(server.pid);
    await server.stop(); // removes what it kept beside the file
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
