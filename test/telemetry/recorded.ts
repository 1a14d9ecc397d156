/** OpenTelemetry's SDK in memory, as a user registers it: what was recorded can be read. */
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

export function registerTelemetry() {
  const spans = new InMemorySpanExporter();
  const processor = new SimpleSpanProcessor(spans);
  const tracers = new NodeTracerProvider({ spanProcessors: [processor] });
  tracers.register({ contextManager: new AsyncLocalStorageContextManager() });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 });
  const meters = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(meters);
  return {
    spans,
    processor,
    /** The data points of a metric, with their attributes. */
    async points(name: string) {
      exporter.reset();
      await reader.forceFlush();
      const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
      return all
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes, value })));
    },
    async end() {
      trace.disable();
      metrics.disable();
      context.disable();
      await Promise.all([tracers.shutdown(), meters.shutdown()]);
    },
  };
}

export type Telemetry = ReturnType<typeof registerTelemetry>;
