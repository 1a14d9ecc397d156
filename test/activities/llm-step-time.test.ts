/** A call that ends by a time-out after the model began to work is repeated once, and then the step is final. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ServiceReply } from '../providers/local-service.js';
import { chat, chatStream, useModels } from './model-services.js';

const models = useModels();

afterEach(() => {
  vi.restoreAllMocks();
});

/** Advances the clock that measures how long a call took, at the moment of its answer. */
function afterSeconds(seconds: number, reply: ServiceReply) {
  const now = performance.now.bind(performance);
  return () => {
    vi.spyOn(performance, 'now').mockImplementation(() => now() + seconds * 1000);
    return reply;
  };
}

const timedOut = { heartbeatDetails: { timedOutCalls: 1 } };
const ONCE_MORE = { type: 'ProviderUnavailable', nonRetryable: false };
const FINAL = { type: 'AnswerUnusable', nonRetryable: true };

describe('a call that took more than 30 seconds', () => {
  const cases: readonly (readonly [string, ServiceReply, boolean])[] = [
    ['is cut by Cloudflare', { status: 524, body: '<html></html>' }, false],
    ['is given up by a gateway', { status: 504, body: '' }, false],
    ['is timed out by the service', { status: 504, body: { type: 'error', error: { type: 'timeout_error' } } }, false],
    ['loses its connection', { status: 200, body: chat(), isCut: true }, false],
    ['is cut within its stream', { status: 200, events: chatStream(['hel'], {}, null) }, true],
  ];

  test.each(cases)('and %s, is asked once more', async (_title, reply, stream) => {
    const step = await models.start([{ name: 'a-service', answer: afterSeconds(45, reply) }], { stream });
    const heartbeats: unknown[] = [];
    step.environment.on('heartbeat', (details: unknown) => heartbeats.push(details));
    await expect(step.run).rejects.toMatchObject({ ...ONCE_MORE, message: expect.stringContaining('asked once more') });
    expect(heartbeats.at(-1)).toMatchObject({ timedOutCalls: 1 });
  });

  test.each(cases)('and %s, is final the second time', async (_title, reply, stream) => {
    const answer = afterSeconds(45, reply);
    const step = await models.start([{ name: 'a-service', answer }], { stream }, timedOut);
    await expect(step.run).rejects.toMatchObject({ ...FINAL, message: expect.stringContaining('not asked again') });
  });

  test('and is refused for its rate, is asked again as often as ever', async () => {
    const answer = afterSeconds(45, { status: 429, body: {} });
    const step = await models.start([{ name: 'a-service', answer }], {}, timedOut);
    await expect(step.run).rejects.toMatchObject({ type: 'ProviderRateLimited', nonRetryable: false });
  });
});

test.each([
  ['504', { status: 504, body: '' }],
  ['a lost connection', { status: 200, body: chat(), isCut: true }],
])('what ends sooner was an outage, which is waited out: %s', async (_title, answer) => {
  const step = await models.start([{ name: 'a-service', answer }], {}, timedOut);
  await expect(step.run).rejects.toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
});

describe('a model that is silent until the time of the step ends', () => {
  const silent = () => undefined;

  test('ends the step before Temporal does, which knows nothing of what was paid', async () => {
    const info = { startToCloseTimeoutMs: 500 };
    const step = await models.start([{ name: 'a-service', answer: silent }], {}, info);
    await expect(step.run).rejects.toMatchObject(ONCE_MORE);
  });

  test('is final the second time', async () => {
    const info = { startToCloseTimeoutMs: 500, ...timedOut };
    const step = await models.start([{ name: 'a-service', answer: silent }], {}, info);
    await expect(step.run).rejects.toMatchObject(FINAL);
  });

  test('is left for the next provider', async () => {
    const step = await models.start(
      [
        { name: 'first', answer: afterSeconds(45, { status: 524, body: '' }) },
        { name: 'second', answer: { status: 200, body: chat() } },
      ],
      {},
    );
    expect(await step.run).toMatchObject({ provider: { name: 'second' }, skipped: [{ name: 'first' }] });
  });
});
