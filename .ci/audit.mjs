/**
 * Asks the registry for known vulnerabilities of the packages that run in production: dependencies, peers, and the
 * packages that the build writes into the output (`src/vendor`), not the packages that only builds and tests need. The
 * last line is one of
 *
 *   audited: …      no vulnerability of that severity is known; exit code 0
 *   found: …        the packages that have one; exit code 1
 *   NOT AUDITED: …  the registry did not answer, so nothing is known about the packages; exit code 3
 *
 * Usage: audit.mjs [severity, default high]
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const SEVERITIES = ['low', 'moderate', 'high', 'critical'];
const TIMEOUT_MS = 60_000;

const [level = 'high'] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-audit-'));
try {
  // npm counts a peer that is also a dev dependency only as dev, and would leave out the Temporal SDK.
  const { devDependencies, ...manifest } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
  for (const file of await readdir(join(REPOSITORY, 'src/vendor'))) {
    const name = file.replace(/\.ts$/, '');
    manifest.dependencies[name] = devDependencies[name];
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await copyFile(join(REPOSITORY, 'package-lock.json'), join(folder, 'package-lock.json'));
  const { text, exitCode } = verdict(await audit());
  console.log(text);
  process.exitCode = exitCode;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** npm's report; `undefined` if it printed no JSON. */
function audit() {
  const args = ['audit', '--json', '--omit=dev', '--package-lock-only', '--fetch-retries=1'];
  return new Promise((resolve) => {
    execFile('npm', args, { cwd: folder, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        resolve(undefined);
      }
    });
  });
}

function verdict(report) {
  // npm's exit code is 1 for a vulnerability and for a registry that does not answer: only the report differs.
  if (report?.auditReportVersion === undefined || !report.metadata?.dependencies?.total) {
    const why = report?.message ?? 'npm printed no report';
    return { text: `NOT AUDITED: the registry gave no audit: ${why.split('\n')[0]}`, exitCode: 3 };
  }
  const grave = SEVERITIES.slice(SEVERITIES.indexOf(level));
  const found = Object.values(report.vulnerabilities).filter(({ severity }) => grave.includes(severity));
  if (found.length === 0)
    return {
      text: `audited: nothing ${level} or worse in ${report.metadata.dependencies.total} packages`,
      exitCode: 0,
    };
  const named = found.map(({ name, severity, range }) => `${name} ${range} (${severity})`);
  return { text: `found: ${named.join(', ')}`, exitCode: 1 };
}
