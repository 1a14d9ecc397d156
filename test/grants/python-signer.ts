/** Signers in Python: the code block of `docs/grants.md`, and one that was written from its tables. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { documentedPython, pythonOrReason, run } from '../support/python.js';

const PAGE = fileURLToPath(new URL('../../docs/grants.md', import.meta.url));

/** A payload in protobuf's JSON: bytes are base64. */
export interface JsonPayload {
  readonly metadata: { readonly encoding: string };
  readonly data: string;
}

export interface Signed {
  readonly token: string;
  readonly payload: JsonPayload;
}

export interface Vector extends Signed {
  readonly key: Readonly<Record<'kty' | 'crv' | 'kid' | 'd' | 'x', string>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface Asked {
  readonly key: object;
  readonly workspaceId: string;
  readonly namespace: string;
  readonly workflowId: string;
  /** Claims that replace those of the signer. Only for the one from the tables. */
  readonly claims?: object;
}

export interface PythonSigners {
  /** The page's own code. */
  readonly code: (asked: Asked) => Promise<Signed & { readonly example: Signed }>;
  /** Written from the tables. */
  readonly tables: (asked: Asked) => Promise<Signed>;
}

/** The worked example of the page. */
export async function documentedVector(): Promise<Vector> {
  const [, vector = ''] = /^```json vector\n(.*?)^```$/ms.exec(await readFile(PAGE, 'utf8')) ?? [];
  return JSON.parse(vector) as Vector;
}

/** The signers, or why this machine has no Python for them. */
export async function pythonSigners(): Promise<PythonSigners | string> {
  const python = await pythonOrReason();
  if ('missing' in python) return python.missing;
  const signer = (name: string) => async (asked: object) => {
    const folder = await mkdtemp(join(tmpdir(), 'grants-page-'));
    try {
      await writeFile(join(folder, 'grants_page.py'), await documentedPython(PAGE));
      const script = fileURLToPath(new URL(`python/${name}.py`, import.meta.url));
      const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' };
      const running = run(python.path, [script], { env });
      running.child.stdin?.end(JSON.stringify(asked));
      return JSON.parse((await running).stdout);
    } finally {
      await rm(folder, { recursive: true });
    }
  };
  const page = signer('page_signer');
  return {
    code: async (asked) => page({ ...asked, vector: await documentedVector() }),
    tables: signer('table_signer'),
  };
}
