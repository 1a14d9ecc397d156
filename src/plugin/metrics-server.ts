/**
 * Serves what a process shows of itself: `/metrics` for Prometheus, `/healthz` (the process answers), `/readyz` (it serves
 * steps). Nothing here names a workspace unless the operator has named it, and nothing is a secret.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localURL, parseMetricsAddress } from '../config/metrics-address.js';
import { createFetch } from '../egress/http-client.js';
import { EgressPolicy } from '../egress/policy.js';
import type { Observer } from '../observer/observer.js';
import { ProviderError } from '../protocol/errors.js';
import type { ReadMetrics } from '../telemetry/metrics-table.js';
import { type PrometheusPage, prometheusPage } from '../telemetry/prometheus.js';

/** What must be so before a process serves steps. */
export interface Readiness {
  /** The process may answer from its cache. */
  readonly lease: boolean;
  /** Temporal has seen the process poll its own task queue in the last minutes. */
  readonly temporal: boolean;
  /** Grants can be verified: their key set was read, and is not too old. */
  readonly grantKeys: boolean;
}

export interface MetricsSource {
  readonly observer: Pick<Observer, 'listen'>;
  readonly readMetrics: ReadMetrics;
  readonly telemetryWorkspaces: readonly string[];
  readonly readiness: () => Promise<Readiness>;
  /** The address of further metrics in the same format, on this machine: those of Temporal's core. */
  readonly coreURL?: string | undefined;
}

/** A server of metrics and health. */
export interface MetricsServer {
  /** `http://127.0.0.1:9464`. */
  readonly url: string;
  close(): Promise<void>;
}

const CORE_TIMEOUT_MS = 2_000;

/** @throws ProviderError `SetupInvalid` if the address is not valid, or cannot be listened on */
export async function startMetricsServer(address: string, source: MetricsSource): Promise<MetricsServer> {
  const { host, port } = parseMetricsAddress(address);
  const page = await prometheusPage(source.observer, source.readMetrics, source.telemetryWorkspaces);
  const core = source.coreURL === undefined ? undefined : coreMetrics(source.coreURL);
  const server = createServer((request, response) => {
    void answer(request, response, { page, source, core }).catch(() => response.writeHead(500).end());
  });
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    page.end();
    await core?.close();
    const code = String((error as NodeJS.ErrnoException).code);
    throw ProviderError.setupInvalid('PROVIDER_METRICS_ADDRESS', `cannot be listened on (${code}): choose another one`);
  }
  server.unref();
  return {
    url: localURL({ host, port: (server.address() as AddressInfo).port }),
    async close() {
      page.end();
      server.closeAllConnections();
      server.close();
      await core?.close();
    },
  };
}

interface Served {
  readonly page: PrometheusPage;
  readonly source: MetricsSource;
  readonly core: ReturnType<typeof coreMetrics> | undefined;
}

async function answer(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
  if (path === '/healthz') return json(response, 200, { ok: true });
  if (path === '/readyz') {
    const readiness = await served.source.readiness();
    const ready = Object.values(readiness).every(Boolean);
    return json(response, ready ? 200 : 503, { ready, ...readiness });
  }
  if (path !== '/metrics') return json(response, 404, { paths: ['/metrics', '/healthz', '/readyz'] });
  const [own, core = ''] = await Promise.all([served.page.text(), served.core?.text()]);
  response.writeHead(200, { 'content-type': served.page.contentType }).end(`${own.trimEnd()}\n${core}`);
}

function json(response: ServerResponse, status: number, document: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(document)}\n`);
}

/** For the core of Temporal, which does not report which port it was given. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Temporal's core serves its metrics only itself. */
function coreMetrics(url: string) {
  const http = createFetch({ egress: new EgressPolicy({ networks: ['loopback'], ports: 'any' }) });
  return {
    close: () => http.close(),
    /** `undefined` if the core does not answer: our own metrics are served in any case. */
    async text(): Promise<string | undefined> {
      const answered = await http.fetch(url, { signal: AbortSignal.timeout(CORE_TIMEOUT_MS) }).catch(() => undefined);
      return answered?.ok ? answered.text() : undefined;
    },
  };
}
