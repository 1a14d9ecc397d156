/**
 * A Python service that seals and opens rows and payloads: the code block of `docs/sealing-format.md` in a Python with joserfc.
 * pip installs its environment once, in a per-user cache folder that later runs share.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CredentialPlace } from '../../src/sealing/sealer.js';
import type { WrappedDataKey } from '../../src/store/ports.js';

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 170_000;
const REQUIREMENTS = fileURLToPath(new URL('python/requirements.txt', import.meta.url));
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
  let python: string;
  try {
    python = await pythonWithJoserfc();
  } catch (error) {
    const reason = `no Python with joserfc: ${error instanceof Error ? error.message.split('\n')[0] : 'unknown'}`;
    if (process.env.CI) throw new Error(reason);
    return reason;
  }
  return {
    async exchange({ encryptionKey, rows = [], secrets = [], configs = [], encrypted = [], payloads = [] }) {
      const folder = await mkdtemp(join(tmpdir(), 'sealing-format-'));
      try {
        await writeFile(join(folder, 'sealing_format.py'), await documentedPython());
        const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' };
        const running = run(python, [INTEROP], { env, maxBuffer: 16 * 1024 * 1024 });
        running.child.stdin?.end(JSON.stringify({ encryptionKey, rows, secrets, configs, encrypted, payloads }));
        return JSON.parse((await running).stdout);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  };
}

async function documentedPython(): Promise<string> {
  const blocks = [...(await readFile(FORMAT, 'utf8')).matchAll(/^```python\n(.*?)^```$/gms)];
  if (blocks.length !== 1) throw new Error('docs/sealing-format.md must have exactly one Python block');
  return blocks[0]?.[1] as string;
}

/** Creates the environment in a temporary folder and renames it, so that parallel runs never use an incomplete one. */
async function pythonWithJoserfc(): Promise<string> {
  const { stdout: version } = await run('python3', ['--version']);
  const wanted = createHash('sha256')
    .update(version)
    .update(await readFile(REQUIREMENTS))
    .digest('hex');
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'workspace-providers');
  const ready = join(cache, `python-${wanted.slice(0, 16)}`);
  if (!(await exists(ready))) {
    await mkdir(cache, { recursive: true });
    const made = await mkdtemp(join(cache, 'making-python-'));
    try {
      await run('python3', ['-m', 'venv', made]);
      const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
      await run(join(made, 'bin/python'), install, { timeout: INSTALL_TIMEOUT_MS });
      await rename(made, ready);
    } catch (error) {
      await rm(made, { recursive: true, force: true });
      if (!(await exists(ready))) throw error;
    }
  }
  return join(ready, 'bin/python');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
