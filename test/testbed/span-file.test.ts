/** The file of spans that the demo writes. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spanFileExporter } from '../../testbed/span-file.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'span-file-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const tracerOf = (path: string, instance: string) =>
  new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(spanFileExporter(path, instance))],
  }).getTracer('a test', '1.0.0');

test('two processes append a line of OTLP per span as it ends, and an open span is not in it', async () => {
  const path = join(folder, 'spans.jsonl');
  const [first, second] = [tracerOf(path, 'agents-1'), tracerOf(path, 'agents-2')];
  const attributes = { text: 'a "b"\n', whole: 3, part: 0.5, yes: true, list: ['stop', 'end'] };
  first.startSpan('left open');
  first.startSpan('resolve', { startTime: [1_700_000_000, 5], attributes }).end([1_700_000_001, 999_999_999]);
  const failed = second.startSpan('POST', { kind: SpanKind.CLIENT });
  failed.setStatus({ code: SpanStatusCode.ERROR }).addEvent('retried', { after: 2 }, [1_700_000_002, 0]).end();

  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const [resolve, post] = lines.map((line) => JSON.parse(line).resourceSpans[0]);
  expect(lines).toHaveLength(2);
  expect(resolve.resource.attributes).toEqual([{ key: 'service.instance.id', value: { stringValue: 'agents-1' } }]);
  expect(resolve.scopeSpans[0].scope).toMatchObject({ name: 'a test', version: '1.0.0' });
  expect(resolve.scopeSpans[0].spans[0]).toMatchObject({
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
    name: 'resolve',
    kind: 1,
    startTimeUnixNano: '1700000000000000005',
    endTimeUnixNano: '1700000001999999999',
    attributes: [
      { key: 'text', value: { stringValue: 'a "b"\n' } },
      { key: 'whole', value: { intValue: '3' } },
      { key: 'part', value: { doubleValue: 0.5 } },
      { key: 'yes', value: { boolValue: true } },
      { key: 'list', value: { arrayValue: { values: [{ stringValue: 'stop' }, { stringValue: 'end' }] } } },
    ],
  });
  expect(post.resource.attributes[0].value).toEqual({ stringValue: 'agents-2' });
  expect(post.scopeSpans[0].spans[0]).toMatchObject({
    kind: 3,
    status: { code: 2 },
    events: [
      {
        name: 'retried',
        timeUnixNano: '1700000002000000000',
        attributes: [{ key: 'after', value: { intValue: '2' } }],
      },
    ],
  });
});
