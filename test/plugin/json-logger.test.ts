/** The lines that the packaged worker process logs. */
import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonLogger, logWarnings } from '../../src/plugin/json-logger.js';
import { redactingLogger } from '../../src/plugin/redacting-activity.js';
import { ownedBy } from '../../src/redaction/opened-secrets.js';
import { Secret } from '../../src/redaction/secret.js';
import { registerTelemetry, type Telemetry } from '../telemetry/recorded.js';

let telemetry: Telemetry;
beforeAll(() => {
  telemetry = registerTelemetry();
});
afterAll(() => telemetry.end());

function logged(level: 'DEBUG' | 'INFO' = 'INFO') {
  const lines: string[] = [];
  const logger = redactingLogger(jsonLogger(level, { write: (line) => void lines.push(line) }));
  return { logger, lines, documents: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('are one JSON object each, with the level, the time and the attributes', () => {
  const { logger, lines, documents } = logged();
  logger.warn('a step\nfailed', { workflowId: 'agent-1', attempt: 2n, error: new Error('of a service') });
  logger.debug('not logged at this level');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(documents()).toMatchObject([
    {
      ...{ level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), msg: 'a step\nfailed' },
      ...{ workflowId: 'agent-1', error: { type: 'Error', message: 'of a service' } },
    },
  ]);
});

test('have the ids of the trace within a span, and none outside', () => {
  const { logger, documents } = logged();
  trace.getTracer('a test').startActiveSpan('a step', (span) => {
    logger.info('within');
    span.end();
    logger.info('of the same trace', { trace_id: 'of the interceptor' });
  });
  logger.info('outside');
  const [span] = telemetry.spans.getFinishedSpans();
  const { traceId, spanId } = (span as NonNullable<typeof span>).spanContext();
  expect(documents()).toMatchObject([
    { msg: 'within', trace_id: traceId, span_id: spanId },
    { trace_id: 'of the interceptor' },
    { msg: 'outside' },
  ]);
  expect(documents()[2]).not.toHaveProperty('trace_id');
});

test('have no secret that the process has opened, in no place of a line [G9]', () => {
  const key = 'canary-key-of-the-json-logger';
  const control = 'canary-that-nobody-opened';
  ownedBy('ws_acme', () => new Secret(key));
  const { logger, lines } = logged();
  logger.error(`refused ${key}`, { url: `https://x/${key}`, error: new Error(key), nested: { [key]: [key] } });
  logger.error(control);
  expect(lines.join('')).not.toContain(key);
  expect(lines.join('')).toContain(control);
});

test('include the warnings of the process, which are not printed otherwise', async () => {
  const before = process.listeners('warning');
  const { logger, documents } = logged();
  try {
    logWarnings(logger);
    process.emitWarning('the key set could not be read', 'WorkspaceProvidersWarning');
    await new Promise(setImmediate);
    expect(process.listenerCount('warning')).toBe(1);
  } finally {
    process.removeAllListeners('warning');
    for (const each of before) process.on('warning', each);
  }
  expect(documents()).toMatchObject([{ level: 'warn', warning: 'WorkspaceProvidersWarning' }]);
});
