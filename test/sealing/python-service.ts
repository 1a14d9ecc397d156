/**
 * A Python service that seals and opens rows and payloads: the code block of `docs/sealing-format.md` in a Python with
 * joserfc.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CredentialPlace } from '../../src/sealing/sealer.js';
import type { WrappedDataKey } from '../../src/store/ports.js';
import { documentedPython, pythonOrReason, run } from '../support/python.js';

const INTEROP = fileURLToPath(new URL('python/interop.py', import.meta.url));
const FORMAT = fileURLToPath(new URL('../../docs/sealing-format.md', import.meta.url));

export interface SealedRow {
  readonly identity: CredentialPlace;
  readonly sealed: string;
  readonly dataKeys: readonly WrappedDataKey[];
}

/** The config of a provider of that type and name. */
export interface ConfigOf {
  readonly type: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The workflow that a payload belongs to, in the words of the header. */
export interface PayloadPlace {
  readonly namespace?: string;
  readonly workflow_id?: string;
}

export interface EncryptedPayload {
  readonly place: PayloadPlace;
  /** The JWE. */
  readonly data: string;
}

export interface PythonService {
  exchange(asked: {
    readonly encryptionKey: string;
    readonly rows?: readonly SealedRow[];
    readonly secrets?: readonly { readonly identity: CredentialPlace; readonly plaintext: string }[];
    readonly configs?: readonly ConfigOf[];
    readonly encrypted?: readonly EncryptedPayload[];
    /** Payloads as protobuf, in hex. */
    readonly payloads?: readonly { readonly place: PayloadPlace; readonly payload: string }[];
  }): Promise<{
    readonly opened: readonly (string | null)[];
    readonly sealed: readonly SealedRow[];
    readonly destinations: readonly (string | null)[];
    /** In hex. */
    readonly decrypted: readonly (string | null)[];
    readonly encrypted: readonly string[];
  }>;
}

/** Returns the service, or the reason why this machine cannot run one. In CI it throws instead. */
export async function startPythonService(): Promise<PythonService | string> {
  const python = await pythonOrReason();
  if ('missing' in python) return python.missing;
  return {
    async exchange({ encryptionKey, rows = [], secrets = [], configs = [], encrypted = [], payloads = [] }) {
      const folder = await mkdtemp(join(tmpdir(), 'sealing-format-'));
      try {
        await writeFile(join(folder, 'sealing_format.py'), await documentedPython(FORMAT));
        const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' };
        const running = run(python.path, [INTEROP], { env, maxBuffer: 16 * 1024 * 1024 });
        running.child.stdin?.end(JSON.stringify({ encryptionKey, rows, secrets, configs, encrypted, payloads }));
        return JSON.parse((await running).stdout);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  };
}
