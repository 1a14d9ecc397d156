/** The trace of a run of the demo: the agent that two workers served, and the rotation of its key. */
import { bar, duration, legend, line, picture, text, WIDTH } from './svg.js';

const ROW = 19;
const TOP = 64;
const BARS_AT = 400;
const BARS_WIDTH = 490;
/** Statements that waits repeat, and the books that a rotation keeps. */
const LEFT_OUT = new Set(['list_workers', 'list_holders', 'read_epoch', 'renew_lease', 'recordRotationStage']);

/** @param jsonLines - `spans.jsonl` of the demo */
export function tracePicture(jsonLines) {
  const spans = jsonLines.trimEnd().split('\n').map(readSpan);
  const [root] = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  if (spans.some(({ traceId }) => traceId !== root.traceId)) throw new Error('expected one trace');
  const childrenOf = (parent) =>
    spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId).sort((a, b) => a.startMs - b.startMs);
  const within = (span) => [span, ...childrenOf(span).flatMap(within)];
  const processesOf = (span) => new Set(within(span).map(({ process }) => process)).size;
  const tops = childrenOf(root);
  // The agent whose worker was killed: also the other worker has spans of it.
  const agent = tops.find(({ name, ...span }) => name === 'StartWorkflow:addressAgent' && processesOf(span) === 3);
  const rotation = tops.find(({ name }) => name === 'StartWorkflow:rotateProvider');
  if (!agent || !rotation) throw new Error('expected an agent on two workers, and a rotation');

  const shown = (span, depth) =>
    LEFT_OUT.has(span.name) || LEFT_OUT.has(span.attributes['workspace_providers.rotation.stage'])
      ? []
      : [{ span, depth }, ...childrenOf(span).flatMap((child) => shown(child, depth + 1))];
  const rows = [{ span: root, depth: 0 }, ...shown(agent, 1), ...shown(rotation, 1)];
  const lengthMs = Math.max(...rows.slice(1).map(({ span }) => span.endMs)) - root.startMs;
  const xOf = (ms) => BARS_AT + ((ms - root.startMs) / lengthMs) * BARS_WIDTH;
  const height = TOP + rows.length * ROW + 22;
  const seconds = Array.from({ length: Math.floor(lengthMs / 2_000) + 1 }, (_, index) => index * 2);
  const parts = [
    text(20, 30, 'One trace: an agent on two workers, and a rotation', 'name'),
    ...legend(30),
    ...seconds.flatMap((second) => {
      const x = xOf(root.startMs + second * 1_000).toFixed(1);
      return [line(x, TOP - 8, x, height - 16), text(x, TOP - 12, `${second} s`, 'small code')];
    }),
    ...rows.flatMap(({ span, depth }, index) => rowOf(span, depth, TOP + index * ROW, xOf)),
  ];
  const description =
    `${rows.length} of ${spans.length} spans: steps of one agent on agents-2 and, after it was killed, on agents-1, and the ` +
    'stages of the rotation, of which the fence takes most of the time.';
  return picture({ title: 'The trace of a run of the demo', description, height, parts });
}

function rowOf(span, depth, y, xOf) {
  const end = Math.min(xOf(span.endMs), BARS_AT + BARS_WIDTH);
  const label = duration(span.endMs - span.startMs);
  const fitsRight = end + 60 < WIDTH;
  return [
    text(20 + depth * 14, y + 13, labelOf(span), 'code'),
    bar(xOf(span.startMs), y + 3, end - xOf(span.startMs), 12, span.process),
    text(fitsRight ? (end + 5).toFixed(1) : WIDTH - 8, y + 13, label, fitsRight ? 'small code' : 'small code end'),
  ];
}

/** The names without the prefix that all of them have. */
function labelOf({ name, attributes }) {
  const own = (attribute) => attributes[`workspace_providers.${attribute}`];
  const status = attributes['http.response.status_code'];
  if (name.endsWith('.resolve')) return `resolve ${own('type')}/${own('name')} v${own('version')} ${own('cache')}`;
  if (name.endsWith('.open')) return `open ${own('type')}/${own('name')} v${own('version')}`;
  if (status !== undefined) return `${name} ${status}`;
  return name.replace('workspace_providers.', '');
}

function readSpan(json) {
  const [{ resource, scopeSpans }] = JSON.parse(json).resourceSpans;
  const { startTimeUnixNano, endTimeUnixNano, attributes, ...span } = scopeSpans[0].spans[0];
  const [{ value }] = resource.attributes;
  return {
    ...span,
    process: value.stringValue,
    startMs: Number(BigInt(startTimeUnixNano) / 1_000n) / 1_000,
    endMs: Number(BigInt(endTimeUnixNano) / 1_000n) / 1_000,
    attributes: Object.fromEntries(attributes.map(({ key, value: of }) => [key, Object.values(of)[0]])),
  };
}
