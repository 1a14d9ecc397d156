import { type MetricsServer, startMetricsServer } from './metrics-server.js';
import { metricsSource, type WorkspaceProviders } from './workspace-providers.js';

export interface ServeMetricsOptions {
  /** A port, on which only this machine can connect, or an IP address and a port: `9464`, `0.0.0.0:9464`. `0`: a free port. */
  readonly address: string;
}

/**
 * Serves the metrics and the health of a worker of your own, as the packaged worker process does with
 * `PROVIDER_METRICS_ADDRESS`: `/metrics` for Prometheus, `/healthz`, and `/readyz`, which is 200 once the lease is held,
 * Temporal has seen the process poll, and grants can be verified. If the process has an SDK of OpenTelemetry, its
 * exporter has the same metrics, and this server is not needed for them.
 *
 * @throws ProviderError `SetupInvalid` if the address is not valid, or cannot be listened on
 * @example
 * const server = await serveMetrics(providers, { address: '9464' });
 * await worker.run();
 * await server.close();
 */
export function serveMetrics(
  // biome-ignore lint/suspicious/noExplicitAny: any types of the user's own
  providers: WorkspaceProviders<any>,
  { address }: ServeMetricsOptions,
): Promise<MetricsServer> {
  return startMetricsServer(address, providers[metricsSource]);
}
