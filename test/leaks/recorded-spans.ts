/**
 * An SDK of OpenTelemetry, as a platform registers it before anything else, with the instrumentations of undici and http.
 * Every span is written at once and whole, because the process may be killed. A packaged worker imports this module by
 * `NODE_OPTIONS`.
 */
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { spansFile } from './spans-file.js';

const folder = process.cwd();

/** The scopes of the package, of Temporal and of instrumentations. The others are clients of services. */
const SEARCHED_RAW = /^(workspace-providers$|@temporalio\/|@opentelemetry\/)/;
let redactClients = (text: string) => text;

/** @param redact - for the spans that clients make themselves */
export function redactSpansOfClients(redact: (text: string) => string): void {
  redactClients = redact;
}

const nothing = () => Promise.resolve();
const recordedSpans: SpanProcessor = {
  onStart: () => {},
  onEnd({ name, attributes, events, links, status, resource, instrumentationScope }) {
    const scope = instrumentationScope.name;
    const redact = SEARCHED_RAW.test(scope) ? (text: string) => text : redactClients;
    const whole = { name, attributes, events, links, status, resource: resource.attributes };
    // Before it is encoded: redaction does not find a key that was encoded twice.
    const written = JSON.stringify(whole, (_, each) => (typeof each === 'string' ? redact(each) : each));
    appendFileSync(join(folder, spansFile(scope)), `${written}\n`);
  },
  forceFlush: nothing,
  shutdown: nothing,
};

/** Headers of requests in which clients send keys. */
const requestHeaders = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'x-access-key', 'x-secret'];

// `NODE_OPTIONS` holds for the threads of workflows too.
if (isMainThread) {
  new NodeTracerProvider({ spanProcessors: [recordedSpans] }).register();
  const client = { requestHeaders };
  registerInstrumentations({
    instrumentations: [
      new UndiciInstrumentation({ headersToSpanAttributes: client }),
      new HttpInstrumentation({ headersToSpanAttributes: { client } }),
    ],
  });
  createRequire(import.meta.url)('node:http'); // is instrumented when it is required
}
