/** The machine on which the figures were taken, its load, and the versions. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';

const here = new URL('package.json', import.meta.url);
const MEASURED = ['@temporalio/worker', 'jose', 'lru-cache', 'pg'];

export function machine() {
  const [{ model }, ...others] = cpus();
  const system = `${platform()} ${release()}`;
  return { cpu: model, cores: others.length + 1, memoryGiB: Math.round(totalmem() / 2 ** 30), system };
}

/** The load average of the last minute. Above the number of cores, contenders share them with other programs. */
export function load() {
  return Number(loadavg()[0].toFixed(2));
}

export function versions() {
  const peers = Object.keys(readJson(here).dependencies);
  const installed = [...MEASURED, ...peers].map((name) => [name, versionOf(name)]);
  return { node: process.version, ...Object.fromEntries(installed) };
}

function versionOf(/** @type {string} */ name) {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      return readJson(`${folder}/${name}/package.json`).version;
    } catch {}
  }
  return 'not found';
}

function readJson(/** @type {string | URL} */ file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
