/**
 * Writes spans to a file, one JSON object per line, as OpenTelemetry's file exporter does (OTLP in JSON): a Collector
 * reads it with `otlpjsonfile`. Several processes may append to one file, and what a killed process has ended is there.
 */
import { appendFileSync } from 'node:fs';
import type { Attributes, AttributeValue, HrTime } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';

/** @param instance - the name of this process: the attribute `service.instance.id` */
export function spanFileExporter(path: string, instance: string): SpanExporter {
  return {
    export(spans, done) {
      // In one write per batch, so that lines of two processes do not mix.
      appendFileSync(path, spans.map((span) => `${JSON.stringify(otlpOf(span, instance))}\n`).join(''));
      done({ code: 0 });
    },
    shutdown: async () => {},
  };
}

function otlpOf(span: ReadableSpan, instance: string) {
  const { name, kind, startTime, endTime, attributes, events, status, parentSpanContext, instrumentationScope } = span;
  const { traceId, spanId } = span.spanContext();
  const resource = { attributes: keyValues({ 'service.instance.id': instance }) };
  const written = {
    traceId,
    spanId,
    ...(parentSpanContext && { parentSpanId: parentSpanContext.spanId }),
    name,
    // In OTLP, 0 is a kind that is not specified.
    kind: kind + 1,
    startTimeUnixNano: nanoseconds(startTime),
    endTimeUnixNano: nanoseconds(endTime),
    attributes: keyValues(attributes),
    events: events.map(({ time, ...event }) => ({
      timeUnixNano: nanoseconds(time),
      name: event.name,
      attributes: keyValues(event.attributes ?? {}),
    })),
    status,
  };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: instrumentationScope, spans: [written] }] }] };
}

function nanoseconds([seconds, rest]: HrTime): string {
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(rest));
}

function keyValues(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: AttributeValue | null | undefined): object {
  if (Array.isArray(value)) return { arrayValue: { values: value.map((each) => anyValue(each)) } };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number') return { stringValue: String(value) };
  // 64-bit integers are texts in OTLP's JSON.
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
