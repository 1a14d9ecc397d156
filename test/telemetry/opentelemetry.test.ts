/** What an SDK of OpenTelemetry receives from a resolver, and what it does not. */
import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Observer } from '../../src/observer/observer.js';
import { ProviderError } from '../../src/protocol/errors.js';
import { METRIC_NAMES, METRICS } from '../../src/telemetry/metrics-table.js';
import { listenWithOpenTelemetry } from '../../src/telemetry/opentelemetry.js';
import { MAX_VALUES } from '../../src/telemetry/record-metrics.js';
import { SPANS } from '../../src/telemetry/spans.js';
import { KEY, resolverInMemory, WORKSPACE } from '../resolver/resolver-in-memory.js';
import { registerTelemetry, type Telemetry } from './recorded.js';

let telemetry: Telemetry;
beforeAll(() => {
  telemetry = registerTelemetry();
});
afterAll(() => telemetry.end());
beforeEach(() => telemetry.spans.reset());

const memory = resolverInMemory();

function listening(workspaces: readonly string[] = []) {
  const observer = new Observer();
  const end = listenWithOpenTelemetry(observer, { workspaces, version: '1.0.0' });
  return { observer, end, resolver: memory.resolverWith({ observer }) };
}

const attributesOf = (name: string) =>
  telemetry.spans.getFinishedSpans().find((span) => span.name === name)?.attributes ?? {};

describe('a span', () => {
  test('of a resolution and of a callback has the active span as its parent, and names what was found', async () => {
    const { resolver, end } = listening();
    await trace.getTracer('a test').startActiveSpan('the agent', async (agent) => {
      const llm = await resolver.resolveProvider({
        workspaceId: WORKSPACE,
        type: 'llm',
        name: ['openai', 'anthropic'],
      });
      await resolver.withProvider(llm, async () => trace.getActiveSpan()?.setAttribute('seen', true));
      agent.end();
    });
    end();
    const spans = telemetry.spans.getFinishedSpans();
    const parentId = spans.find(({ name }) => name === 'the agent')?.spanContext().spanId;
    expect(spans.map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId])).toEqual([
      [SPANS.resolve.name, parentId],
      [SPANS.open.name, parentId],
      ['the agent', undefined],
    ]);
    expect(attributesOf(SPANS.resolve.name)).toEqual({
      ...{ 'workspace_providers.type': 'llm', 'workspace_providers.name': 'anthropic' },
      ...{ 'workspace_providers.version': 1, 'workspace_providers.source': 'workspace' },
      'workspace_providers.cache': 'miss',
    });
    expect(attributesOf(SPANS.open.name), 'the callback runs within it').toMatchObject({ seen: true });
  });

  test('of a failure has the failure type, and no text', async () => {
    const { resolver, end } = listening();
    await expect(resolver.resolveProvider({ workspaceId: WORKSPACE, type: 'llm', name: ['openai'] })).rejects.toThrow();
    const llm = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    const failing = resolver.withProvider(llm, async () => {
      throw new Error(`refused ${KEY}`);
    });
    await expect(failing).rejects.toThrow();
    end();
    const spans = telemetry.spans.getFinishedSpans();
    expect(spans.map(({ status, attributes }) => [status, attributes['error.type']])).toEqual([
      [{ code: 2 }, 'ProviderNotConfigured'],
      [{ code: 0 }, undefined],
      [{ code: 2 }, 'failed'],
    ]);
    expect(spans.flatMap(({ events }) => events)).toEqual([]);
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain(KEY);
  });

  test('has no text that a caller wrote in place of a name', async () => {
    const pasted = 'sk-ant-PASTED_KEY';
    const { resolver, end } = listening();
    const asked = [
      resolver.resolveProvider({ workspaceId: WORKSPACE, type: 'llm', name: [pasted] }),
      resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: pasted as never }),
      resolver.withProvider(
        { workspaceId: pasted, type: 'llm', name: pasted, version: pasted } as never,
        async () => 1,
      ),
    ];
    for (const each of asked) await expect(each).rejects.toThrow();
    end();
    const spans = telemetry.spans.getFinishedSpans();
    expect(spans).toHaveLength(3);
    expect(JSON.stringify(spans.map(({ name, attributes }) => [name, attributes]))).not.toContain('PASTED');
  });

  test.each([
    ['nobody', [], undefined],
    ['the operator, who named it', [WORKSPACE], WORKSPACE],
  ])('shows the workspace to %s', async (_, workspaces, shown) => {
    const { resolver, end } = listening(workspaces);
    await resolver.resolveProvider({ workspaceId: WORKSPACE, type: 'llm', name: ['anthropic'] });
    end();
    expect(attributesOf(SPANS.resolve.name)['workspace_providers.workspace']).toBe(shown);
  });

  test('of a call to a model follows the GenAI conventions', async () => {
    const { observer, end } = listening();
    const begun = { workspaceId: WORKSPACE, type: 'llm', name: 'gemini', model: 'gemini-2.5-flash' };
    const ended = { answeringModel: 'gemini-2.5-flash-001', finishReason: 'stop', inputTokens: 12, outputTokens: 3 };
    await observer.during(
      'model',
      begun,
      async () => {},
      () => ended,
    );
    end();
    expect(attributesOf('chat gemini-2.5-flash')).toEqual({
      ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'gcp.gemini' },
      ...{ 'gen_ai.request.model': begun.model, 'gen_ai.response.model': ended.answeringModel },
      'gen_ai.response.finish_reasons': ['stop'],
      ...{ 'gen_ai.usage.input_tokens': 12, 'gen_ai.usage.output_tokens': 3 },
    });
    const usage = await telemetry.points('gen_ai.client.token.usage');
    expect(
      usage.map(({ attributes, value }) => [attributes['gen_ai.token.type'], (value as { sum: number }).sum]),
    ).toEqual([
      ['input', 12],
      ['output', 3],
    ]);
  });

  test('of a statement is recorded only within another one', async () => {
    const { observer, end } = listening();
    const statement = () =>
      observer.during(
        'statement',
        { statement: 'renew_lease' },
        async () => {},
        () => ({}),
      );
    await statement();
    await observer.during('stage', { stage: 'beginRotation' }, statement, () => ({}));
    end();
    expect(telemetry.spans.getFinishedSpans().map(({ name }) => name)).toEqual([
      'renew_lease',
      'workspace_providers.rotation beginRotation',
    ]);
  });
});

describe('a metric', () => {
  test('counts failures by type, without the workspace', async () => {
    const { resolver, end } = listening();
    await expect(resolver.resolveProvider({ workspaceId: WORKSPACE, type: 'llm', name: ['xai'] })).rejects.toThrow();
    end();
    const points = await telemetry.points('workspace_providers.failures');
    expect(points.map(({ attributes }) => attributes)).toContainEqual({
      type: 'llm',
      'error.type': 'ProviderNotConfigured',
    });
    expect(JSON.stringify(points)).not.toContain(WORKSPACE);
  });

  test('tells a bounded number of values apart, whatever others choose', async () => {
    const { observer, end } = listening();
    for (let number = 0; number < 2 * MAX_VALUES; number += 1) {
      const begun = { workspaceId: WORKSPACE, type: 'llm', name: 'openai', model: `fine-tuned-${number}` };
      const failed = observer.during(
        'model',
        begun,
        () => Promise.reject(new Error()),
        () => ({ finishReason: '' }),
      );
      await expect(failed).rejects.toThrow();
    }
    end();
    const points = await telemetry.points('gen_ai.client.operation.duration');
    const models = points
      .filter(({ attributes }) => attributes['error.type'])
      .map(({ attributes }) => attributes['gen_ai.request.model']);
    expect(models).toHaveLength(MAX_VALUES + 1);
    expect(models).toContain('_OTHER');
  });

  test('is recorded only with the attributes of its table, and each metric is recorded', async () => {
    const observer = new Observer();
    const read = () => READ.map((name) => ({ name, value: 1, attributes: {} }));
    const end = listenWithOpenTelemetry(observer, { version: '1.0.0', read });
    await everything(observer);
    for (const name of METRIC_NAMES) {
      const points = await telemetry.points(name);
      expect(points.length, name).toBeGreaterThan(0);
      const attributes = points.flatMap((point) => Object.keys(point.attributes));
      expect(METRICS[name].attributes, name).toEqual(expect.arrayContaining([...new Set(attributes)]));
    }
    end();
  });
});

const READ = METRIC_NAMES.filter((name) => METRICS[name].kind.startsWith('read')) as never[];

/** Everything that an observer can be told. */
async function everything(observer: Observer): Promise<void> {
  const provider = { workspaceId: WORKSPACE, type: 'llm', name: 'anthropic' };
  const refused = () => Promise.reject(new ProviderError('CredentialRejected', 'refused'));
  const done = async () => {};
  const found = { ...provider, version: 1, source: 'workspace', cache: 'hit' } as const;
  await observer.during('resolve', provider, done, () => found);
  await observer.during('open', { ...provider, version: 1 }, done, () => ({ isHealed: true }));
  await observer.during('open', { ...provider, version: 1 }, refused, () => ({ isHealed: true })).catch(() => {});
  await observer.during('request', { method: 'POST' }, done, () => ({ status: 200 }));
  const answer = { finishReason: 'stop', inputTokens: 1, outputTokens: 1 };
  await observer.during('model', { ...provider, model: 'claude' }, done, () => answer);
  await observer.during('stage', { stage: 'awaitFence', rotationId: 'r' }, done, () => ({}));
  await observer.during('statement', { statement: 'read_workspace' }, done, () => ({}));
  observer.report({ what: 'rejected', provider, version: 1 });
  observer.report({ what: 'unreadable', provider, version: 1 });
  observer.report({ what: 'renewed', tookMs: 3 });
  const workers = { applied: 1, gone: 1, 'waited-out': 1, waiting: 1 };
  observer.report({ what: 'fenced', tookMs: 3, complete: false, workers });
  observer.report({ what: 'drained', tookMs: 3, holders: 2 });
  observer.report({ what: 'rotation-ended', state: 'failed' });
  observer.report({ what: 'checked', type: 'llm', outcome: 'rejected' });
  observer.report({ what: 'grant-refused', kind: 'workspace', cause: 'revoked' });
}
