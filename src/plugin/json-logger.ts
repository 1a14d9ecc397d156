/**
 * A logger of Temporal's SDK that writes one JSON object per line, for the packaged worker process. Within a span, a line
 * has the ids of its trace. It redacts nothing itself: wrap it in `redactingLogger`.
 */
import { trace } from '@opentelemetry/api';
import type { Logger, LogLevel } from '@temporalio/worker';
import pino, { type DestinationStream } from 'pino';
import { loggerBy } from './logger-by.js';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
const STDERR = 2;

/** @param destination - default: stderr, written at once, because a process that ends must not lose its last lines */
export function jsonLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level: LEVELS[level],
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err },
    mixin: spanIds,
  };
  const lines = pino(options, destination ?? pino.destination({ dest: STDERR, sync: true }));
  const log: Logger['log'] = (at, message, meta = {}) => lines[LEVELS[at]](meta, message);
  return loggerBy(log);
}

/** As OpenTelemetry names them in logs of other formats. */
function spanIds(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** Warnings of the process, which Node would print as text, become lines of the log. */
export function logWarnings(logger: Logger): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => logger.warn(message, { warning: name }));
}
