/**
 * A real Temporal dev server with its UI, on loopback, for development and tests. Not for production: it has no login
 * and one shard, and it keeps its data in memory unless it is given a file.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isListening, onPort } from './ports.js';
import { startProcess } from './processes.js';
import { findTemporalCli, type TemporalCliOptions } from './temporal-cli.js';

const START_TIMEOUT_MS = 30_000;
const HEALTH_TIMEOUT_MS = 1_000;
/** The default is 20 per second and shard, and a dev server has one shard: every dispatch would wait up to 50 ms. */
const RAISED_POLL_LIMIT = 'history.transferProcessorMaxPollRPS=5000';
const SERVING = 1;

export interface TemporalOptions extends TemporalCliOptions {
  /** The only port to use for the frontend. Default: a free port. */
  readonly port?: number | undefined;
  /** The port to use for the frontend if it is free, otherwise another one. Default: a free port. */
  readonly preferredPort?: number | undefined;
  /** The only port to use for the UI. Default: a free port. */
  readonly uiPort?: number | undefined;
  /** The port to use for the UI if it is free, otherwise another one. Default: a free port. */
  readonly preferredUiPort?: number | undefined;
  /** A file that keeps workflows across starts. Default: they are kept in memory. */
  readonly dbFile?: string | undefined;
  /** A namespace to register beside `default`. Default: `default`. */
  readonly namespace?: string | undefined;
  /** Whether to raise a poll limit of the dev server that a busy cluster does not have. Default: true. */
  readonly raisedPollLimit?: boolean;
}

export interface TemporalPart {
  /** The frontend's address, `127.0.0.1:port`. */
  readonly address: string;
  readonly uiUrl: string;
  readonly namespace: string;
  readonly pid: number;
  /** A temporary folder, which exists as long as the server runs. */
  readonly scratchFolder: string;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** @throws PartUnavailable if there is no Temporal CLI, a port is taken, or the server does not become healthy */
export async function startTemporal(options: TemporalOptions = {}): Promise<TemporalPart> {
  const command = await findTemporalCli(options);
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-temporal-'));
  const leave = () => rm(folder, { recursive: true, force: true });
  try {
    const begin = (port: number) =>
      onPort(options.uiPort, options.preferredUiPort, async (uiPort): Promise<TemporalPart> => {
        const { namespace = 'default' } = options;
        const address = `127.0.0.1:${port}`;
        const server = await startProcess({
          title: 'the Temporal dev server',
          command,
          args: serverArguments(port, uiPort, namespace, options),
          cwd: folder,
          logFile: join(folder, 'server.log'),
          stopSignal: 'SIGTERM',
          orphanedFolder: folder,
        });
        await server.waitUntil(async () => (await isListening(port)) && isHealthy(address), START_TIMEOUT_MS);
        return {
          address,
          uiUrl: `http://127.0.0.1:${uiPort}`,
          namespace,
          pid: server.pid,
          scratchFolder: folder,
          stop: () => server.stop().then(leave),
        };
      });
    return await onPort(options.port, options.preferredPort, begin);
  } catch (error) {
    await leave();
    throw error;
  }
}

function serverArguments(
  port: number,
  uiPort: number,
  namespace: string,
  { dbFile, raisedPollLimit = true }: TemporalOptions,
): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--namespace', namespace, '--search-attribute', 'WorkspaceId=Keyword', '--log-level', 'warn'],
    ...(dbFile ? ['--db-filename', resolve(dbFile)] : []),
    ...(raisedPollLimit ? ['--dynamic-config-value', RAISED_POLL_LIMIT] : []),
  ];
}

/** Asks the frontend, because the UI answers earlier. */
async function isHealthy(address: string): Promise<boolean> {
  const { Connection } = await import('@temporalio/client');
  try {
    const connection = await Connection.connect({ address, connectTimeout: HEALTH_TIMEOUT_MS });
    try {
      const { status } = await connection.healthService.check({
        service: 'temporal.api.workflowservice.v1.WorkflowService',
      });
      return status === SERVING;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}
