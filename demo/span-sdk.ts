/** The SDK of OpenTelemetry, as a user registers it, with a file as its exporter. */
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { spanFileExporter } from '../testbed/span-file.js';

export function registerSpanFile(path: string, instance: string): void {
  // Not in batches: a worker is killed, and what it had done then must be in the file.
  const spanProcessors = [new SimpleSpanProcessor(spanFileExporter(path, instance))];
  new NodeTracerProvider({ spanProcessors }).register();
}
