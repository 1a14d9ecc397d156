/**
 * The observer's binding to OpenTelemetry, by its API alone. Without an SDK in the process, it does nothing. An SDK must
 * be registered before: the API has no meters that an SDK could take over later.
 */
import { type Counter, type Histogram, type Meter, metrics, type Observable, trace } from '@opentelemetry/api';
import type { Observer } from '../observer/observer.js';
import { METRIC_NAMES, type MetricName, metricOf, type ReadMetrics } from './metrics-table.js';
import { type Instruments, metricsListener } from './record-metrics.js';
import { spanListener } from './spans.js';

const SCOPE = 'workspace-providers';

export interface TelemetryOptions {
  /** The workspaces whose id becomes an attribute. Default: none. */
  readonly workspaces?: readonly string[];
  /** Default: nothing is read. */
  readonly read?: ReadMetrics;
  /** The version of this package. */
  readonly version: string;
}

/** @returns what ends it */
export function listenWithOpenTelemetry(
  observer: Pick<Observer, 'listen'>,
  { workspaces = [], read = () => [], version }: TelemetryOptions,
): () => void {
  const named = new Set(workspaces);
  const meter = metrics.getMeter(SCOPE, version);
  const ends = [
    // The outer one: metrics of a span's work are recorded within the span.
    observer.listen(spanListener(trace.getTracer(SCOPE, version), named)),
    observer.listen(metricsListener(instrumentsOf(meter), named)),
    observeMetrics(read, version),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function instrumentsOf(meter: Meter): Instruments {
  const instruments = new Map<MetricName, Counter | Histogram>();
  for (const name of METRIC_NAMES) {
    const { kind, meaning, unit, buckets } = metricOf(name);
    const options = { unit, description: meaning };
    if (kind === 'counter') instruments.set(name, meter.createCounter(name, options));
    if (kind === 'histogram') {
      const advice = buckets && { explicitBucketBoundaries: [...buckets] };
      instruments.set(name, meter.createHistogram(name, { ...options, ...(advice && { advice }) }));
    }
  }
  return {
    add: (name, value, attributes) => (instruments.get(name) as Counter).add(value, attributes),
    record: (name, value, attributes) => (instruments.get(name) as Histogram).record(value, attributes),
  };
}

/** Observes further metrics of a process that listens already. @returns what ends it */
export function observeMetrics(read: ReadMetrics, version: string): () => void {
  const meter = metrics.getMeter(SCOPE, version);
  const observed = new Map<MetricName, Observable>();
  for (const name of METRIC_NAMES) {
    const { kind, meaning, unit } = metricOf(name);
    const options = { unit, description: meaning };
    if (kind === 'read counter') observed.set(name, meter.createObservableCounter(name, options));
    if (kind === 'read gauge') observed.set(name, meter.createObservableGauge(name, options));
  }
  const callback: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    for (const { name, value, attributes } of read()) {
      result.observe(observed.get(name) as Observable, value, attributes);
    }
  };
  const all = [...observed.values()];
  meter.addBatchObservableCallback(callback, all);
  return () => meter.removeBatchObservableCallback(callback, all);
}
