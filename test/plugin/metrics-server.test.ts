/** What a worker process serves of itself: a valid page for Prometheus that does not grow, health, and readiness. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import parsePrometheusTextFormat from 'parse-prometheus-text-format';
import { afterEach, describe, expect, test } from 'vitest';
import { Observer } from '../../src/observer/observer.js';
import { type MetricsServer, type MetricsSource, startMetricsServer } from '../../src/plugin/metrics-server.js';
import { ProviderError } from '../../src/protocol/errors.js';
import { METRIC_NAMES } from '../../src/telemetry/metrics-table.js';
import { prometheusName } from '../../src/telemetry/prometheus.js';

const READY = { lease: true, temporal: true, grantKeys: true };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function served(change: Partial<MetricsSource> = {}, address = '0') {
  const observer = new Observer();
  const source: MetricsSource = {
    observer,
    readMetrics: () => [{ name: 'workspace_providers.lease.held', value: 1 }],
    telemetryWorkspaces: [],
    readiness: async () => READY,
    ...change,
  };
  const server = await startMetricsServer(address, source);
  ends.push(() => server.close());
  return { observer, server, page: () => textOf(server, '/metrics') };
}

async function textOf({ url }: MetricsServer, path: string): Promise<string> {
  const response = await fetch(`${url}${path}`);
  return response.text();
}

async function resolutions(observer: Observer, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const provider = { workspaceId: `ws_${number}`, type: 'llm', name: 'anthropic' };
    const found = { ...provider, version: number, source: 'workspace', cache: 'miss' } as const;
    await observer.during(
      'resolve',
      provider,
      async () => {},
      () => found,
    );
    const failed = () => Promise.reject(new ProviderError('CredentialRejected', 'refused'));
    await observer.during('open', { ...provider, version: 1 }, failed, () => ({ isHealed: false })).catch(() => {});
    observer.report({ what: 'rejected', provider, version: 1 });
  }
}

const linesOf = (page: string) => page.split('\n').filter((line) => line && !line.startsWith('#'));

describe('/metrics', () => {
  test('is a page that a parser of the format reads, with every metric of the table', async () => {
    const { observer, page } = await served();
    await resolutions(observer, 1);
    const families = parsePrometheusTextFormat(await page());
    const names = families.map(({ name }) => name);
    expect(names.sort()).toEqual(METRIC_NAMES.map(prometheusName).sort());
    const held = families.find(({ name }) => name === 'workspace_providers_lease_held');
    expect(held).toMatchObject({ type: 'GAUGE', metrics: [{ value: '1' }] });
    const counted = linesOf(await page()).find((line) =>
      line.startsWith('workspace_providers_resolve_duration_seconds_count'),
    );
    expect(counted).toMatch(/\} 1$/);
    for (const label of ['type="llm"', 'source="workspace"', 'cache="miss"']) expect(counted).toContain(label);
  });

  test('does not grow with the number of workspaces', async () => {
    const { observer, page } = await served();
    await resolutions(observer, 1);
    const before = linesOf(await page()).length;
    await resolutions(observer, 10_000);
    const after = await page();
    expect(linesOf(after)).toHaveLength(before);
    expect(after).not.toContain('ws_');
  });

  test('has the id of a workspace only if the operator has named it', async () => {
    const { observer, page } = await served({ telemetryWorkspaces: ['ws_7'] });
    await resolutions(observer, 10);
    const shown = linesOf(await page()).flatMap((line) => /workspace="([^"]*)"/.exec(line)?.[1] ?? []);
    expect([...new Set(shown)]).toEqual(['ws_7']);
  });

  test('counts what is read as it is now, however often it is read', async () => {
    let value = 3;
    const readMetrics = () => [{ name: 'workspace_providers.cache.loads' as const, value }];
    const { page } = await served({ readMetrics });
    await page();
    value = 5;
    expect(await page()).toContain('\nworkspace_providers_cache_loads_total 5\n');
  });

  test('ends with the metrics of the core, and is served without them if the core does not answer', async () => {
    const core = createServer((_, response) => response.end('# TYPE temporal_x gauge\ntemporal_x 1\n'));
    await new Promise<void>((listening) => core.listen(0, '127.0.0.1', listening));
    const coreURL = `http://127.0.0.1:${(core.address() as AddressInfo).port}/metrics`;
    const { page } = await served({ coreURL });
    const families = parsePrometheusTextFormat(await page());
    expect(families.at(-1)).toMatchObject({ name: 'temporal_x', metrics: [{ value: '1' }] });
    await new Promise((closed) => core.close(closed).closeAllConnections());
    expect(await page()).toContain('workspace_providers_lease_held 1');
    expect(await page()).not.toContain('temporal_x');
  });
});

test('/healthz answers while the process runs', async () => {
  const { server } = await served({ readiness: () => Promise.reject(new Error()) });
  expect(await textOf(server, '/healthz')).toBe('{"ok":true}\n');
});

test.each([
  ['it is not', { lease: false }, 503],
  ['Temporal does not see it', { temporal: false }, 503],
  ['it cannot verify grants', { grantKeys: false }, 503],
  ['nothing is wrong', {}, 200],
])('/readyz says whether the process serves steps: %s', async (_, change, status) => {
  const { server } = await served({ readiness: async () => ({ ...READY, ...change }) });
  const response = await fetch(`${server.url}/readyz`);
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ ready: status === 200, ...READY, ...change });
});

test('an address that is in use is refused, with its setting', async () => {
  const { server } = await served();
  await expect(served({}, new URL(server.url).port)).rejects.toThrow(
    /^PROVIDER_METRICS_ADDRESS cannot be listened on \(EADDRINUSE\)/,
  );
});

test.each([
  ['/metrics', 'POST', 405],
  ['/', 'GET', 404],
  ['/metrics/', 'GET', 404],
  ['/metrics', 'HEAD', 200],
])('%s by %s is answered by %i', async (path, method, status) => {
  const { server } = await served();
  const response = await fetch(`${server.url}${path}`, { method });
  expect(response.status).toBe(status);
});
