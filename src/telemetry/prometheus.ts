/** The same metrics as a page for Prometheus, whether or not the process has an SDK of OpenTelemetry. */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Observer } from '../observer/observer.js';
import { type Attributes, METRIC_NAMES, type MetricName, metricOf, type ReadMetrics } from './metrics-table.js';
import { metricsListener } from './record-metrics.js';

export interface PrometheusPage {
  /** The value of the header `content-type`. */
  readonly contentType: string;
  text(): Promise<string>;
  /** Stops listening. */
  end(): void;
}

/** As OpenTelemetry's exporters name it: `workspace_providers_resolve_duration_seconds`. */
export function prometheusName(name: MetricName): string {
  const { kind, unit } = metricOf(name);
  const base = name.replaceAll('.', '_');
  return `${base}${unit === 's' ? '_seconds' : ''}${kind.endsWith('counter') ? '_total' : ''}`;
}

function labelOf(attribute: string): string {
  return attribute.replaceAll('.', '_');
}

function labels(attributes: Attributes = {}): Record<string, string | number> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [labelOf(name), value]));
}

/** @param workspaces - the workspaces whose id becomes a label; the operator has named them */
export async function prometheusPage(
  observer: Pick<Observer, 'listen'>,
  read: ReadMetrics,
  workspaces: readonly string[],
): Promise<PrometheusPage> {
  // Loaded only here: most processes have no such page.
  const prometheus = await import('prom-client');
  const registry: Registry = new prometheus.Registry();
  const counters = new Map<MetricName, Counter>();
  const histograms = new Map<MetricName, Histogram>();
  const gauges = new Map<MetricName, Gauge>();
  for (const name of METRIC_NAMES) {
    const { kind, meaning, attributes, buckets } = metricOf(name);
    const labelNames = attributes.map(labelOf);
    const configuration = { name: prometheusName(name), help: meaning, labelNames, registers: [registry] };
    if (kind.endsWith('counter')) counters.set(name, new prometheus.Counter(configuration));
    else if (kind === 'read gauge') gauges.set(name, new prometheus.Gauge(configuration));
    else histograms.set(name, new prometheus.Histogram({ ...configuration, buckets: [...(buckets ?? [])] }));
  }
  const end = observer.listen(
    metricsListener(
      {
        add: (name, value, attributes) => counters.get(name)?.inc(labels(attributes), value),
        record: (name, value, attributes) => histograms.get(name)?.observe(labels(attributes), value),
      },
      new Set(workspaces),
    ),
  );
  const refresh = () => {
    const readings = read();
    for (const { name } of readings) (gauges.get(name) ?? counters.get(name))?.reset();
    for (const { name, value, attributes } of readings) {
      const gauge = gauges.get(name);
      if (gauge) gauge.set(labels(attributes), value);
      else counters.get(name)?.inc(labels(attributes), value);
    }
  };
  return {
    contentType: registry.contentType,
    end,
    text() {
      refresh();
      return registry.metrics();
    },
  };
}
