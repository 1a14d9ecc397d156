/**
 * A real Ethereum node for development and tests: Anvil, from the `@foundry-rs/anvil` package. Its accounts and their
 * keys are public, and worth nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isListening, onFreePort } from '../src/dev/ports.js';
import { PartUnavailable, startProcess } from '../src/dev/processes.js';

const START_TIMEOUT_MS = 30_000;
/** Anvil's own default. */
const CHAIN_ID = 31_337;

export interface AnvilOptions {
  /** Default: a free port. */
  readonly port?: number;
  /** Default: 31337. */
  readonly chainId?: number;
}

export interface AnvilPart {
  /** JSON-RPC over HTTP and WebSocket. */
  readonly url: string;
  readonly chainId: number;
  readonly pid: number;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** @throws PartUnavailable if the package is not installed, the port is taken, or the node does not become ready */
export async function startAnvil({ port: wanted, chainId = CHAIN_ID }: AnvilOptions = {}): Promise<AnvilPart> {
  const command = anvilBinary();
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-anvil-'));
  const leave = () => rm(folder, { recursive: true, force: true });
  try {
    return await onFreePort(wanted, async (port) => {
      const node = await startProcess({
        title: 'Anvil',
        command,
        args: ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId)],
        cwd: folder,
        logFile: join(folder, 'server.log'),
        stopSignal: 'SIGTERM',
        orphanedFolder: folder,
      });
      await node.waitUntil(() => isListening(port), START_TIMEOUT_MS);
      return { url: `http://127.0.0.1:${port}`, chainId, pid: node.pid, stop: () => node.stop().then(leave) };
    });
  } catch (error) {
    await leave();
    throw error;
  }
}

/** The binary in the platform's package. The launcher needs an install script, which may be off. */
function anvilBinary(): string {
  const platform = `@foundry-rs/anvil-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  try {
    const anvil = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json');
    return createRequire(anvil).resolve(`${platform}/bin/anvil`);
  } catch {
    throw new PartUnavailable(`${platform} is not installed: run npm install --save-dev @foundry-rs/anvil`);
  }
}
