/**
 * The header in which both of Temporal's packages for OpenTelemetry pass a trace on: a JSON object with `traceparent`.
 */
export const TRACE_HEADER = '_tracer-data';
