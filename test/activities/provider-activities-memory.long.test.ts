/**
 * The memory of a process whose steps call a service that answers a few kilobytes that decode to 512 MiB. The test has a
 * process of its own (vitest's `forks`).
 */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { constants, createBrotliCompress, createDeflate, createGzip, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createProviderActivities } from '../../src/activities/provider-activities.js';
import { createFetch } from '../../src/egress/http-client.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { startRawService } from '../egress/raw-service.js';
import { startService } from '../providers/local-service.js';
import { resolverInMemory } from '../resolver/resolver-in-memory.js';
import { inActivity } from './in-activity.js';

const MIB = 1024 * 1024;
const DECODED_BYTES = 512 * MIB;
const MOST_GROWTH_BYTES = 200 * MIB;
const AT_ONCE = 5;

const memory = resolverInMemory();
const bombs = new Map<string, Buffer>();

async function compressed(encoder: NodeJS.ReadWriteStream): Promise<Buffer> {
  const zeros = Buffer.alloc(MIB);
  const chunks: Buffer[] = [];
  const source = Readable.from(
    (function* () {
      for (let bytes = 0; bytes < DECODED_BYTES; bytes += MIB) yield zeros;
    })(),
  );
  for await (const chunk of source.pipe(encoder)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

beforeAll(async () => {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 24 };
  bombs.set('br', await compressed(createBrotliCompress({ params })));
  bombs.set('gzip', await compressed(createGzip({ level: 9 })));
  bombs.set('deflate', await compressed(createDeflate({ level: 9 })));
  bombs.set('gzip, gzip', gzipSync(bombs.get('gzip') ?? ''));
}, 300_000);

/** Runs, and returns how much more memory the process had meanwhile than before. */
async function growthDuring(run: () => Promise<unknown>): Promise<number> {
  const atRestBytes = process.memoryUsage.rss();
  let mostBytes = atRestBytes;
  const sample = setInterval(() => {
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss());
  }, 5);
  try {
    await run();
  } finally {
    clearInterval(sample);
  }
  return Math.max(mostBytes, process.memoryUsage.rss()) - atRestBytes;
}

const refTo = (workspaceId: string, type: string, name: string) => ({
  ...{ workspaceId, type, name, version: 1, source: 'workspace', cache: 'hit', shown: {} },
});
const ADDRESS = `0x${'0'.repeat(40)}`;

async function stage(bombAt: string) {
  const content = [{ type: 'text', text: 'hi' }];
  const usage = { input_tokens: 1, output_tokens: 1 };
  const message = { type: 'message', id: 'm', model: 'm', role: 'assistant', content, stop_reason: 'end_turn', usage };
  const honest = await startService({ status: 200, body: message });
  const { store } = memory;
  const apiKey = 'canary-of-a-key-0001';
  for (const name of ['anthropic', 'gemini', 'local']) {
    await store.put('ws_bomb', 'llm', name, { baseURL: bombAt, model: 'm' }, { apiKey });
  }
  await store.put('ws_bomb', 'rpc', 'mainnet', { chainId: 1 }, { url: bombAt });
  const tenderly = { account: 'a', project: 'p', baseURL: bombAt };
  await store.put('ws_bomb', 'tenderly', 'default', tenderly, { accessKey: apiKey });
  await store.put('ws_honest', 'llm', 'anthropic', { baseURL: honest.url, model: 'm' }, { apiKey });
  const client = createFetch({ egress: LOOPBACK_POLICY });
  onTestFinished(() => client.close());
  const resolver = memory.resolverWith({ fetch: client.fetch, within: client.within });
  return createProviderActivities(resolver);
}

const STEPS: readonly (readonly [string, 'llmStep' | 'rpcStep' | 'tenderlyStep', object])[] = [
  ['llmStep at Anthropic', 'llmStep', { ref: refTo('ws_bomb', 'llm', 'anthropic'), prompt: 'x' }],
  ['llmStep at Gemini', 'llmStep', { ref: refTo('ws_bomb', 'llm', 'gemini'), prompt: 'x' }],
  ['llmStep at a compatible service', 'llmStep', { ref: refTo('ws_bomb', 'llm', 'local'), prompt: 'x' }],
  [
    'rpcStep',
    'rpcStep',
    {
      ref: { workspaceId: 'ws_bomb', type: 'rpc', chainId: 1, endpoints: [refTo('ws_bomb', 'rpc', 'mainnet')] },
      method: 'eth_blockNumber',
    },
  ],
  [
    'tenderlyStep',
    'tenderlyStep',
    {
      ref: refTo('ws_bomb', 'tenderly', 'default'),
      networkId: '1',
      transaction: { from: ADDRESS, to: ADDRESS },
    },
  ],
];

describe.each(['br', 'gzip', 'deflate', 'gzip, gzip'])('an answer in %s that decodes to 512 MiB', (encoding) => {
  const expected = encoding.includes(',')
    ? ['ProviderConfigInvalid']
    : ['ResultTooLarge', 'ProviderUnavailable', 'ProviderRequestInvalid'];
  const cases = STEPS.flatMap(([title, activity, input]) =>
    [200, 500].map((status) => ({ title, activity, input, status })),
  );

  test.each(cases)(
    'is aborted: $title, HTTP $status, five at once, and the other workspace is answered [G23]',
    async ({ activity, input, status }) => {
      const bytes = bombs.get(encoding) ?? Buffer.alloc(0);
      const bombAt = await startRawService((request, response: ServerResponse) => {
        request.resume();
        response.writeHead(status, { 'content-type': 'application/json', 'content-encoding': encoding }).end(bytes);
      });
      const activities = await stage(bombAt);
      const honest = () =>
        inActivity().run(activities.llmStep, { ref: refTo('ws_honest', 'llm', 'anthropic'), prompt: 'x' } as never);
      await honest();
      let failures: unknown[] = [];
      let answers: unknown[] = [];
      const growthBytes = await growthDuring(async () => {
        const attacks = Array.from({ length: AT_ONCE }, () =>
          inActivity()
            .run(activities[activity] as (input: never) => Promise<unknown>, input as never)
            .catch((error: unknown) => error),
        );
        answers = await Promise.all(Array.from({ length: AT_ONCE }, honest));
        failures = await Promise.all(attacks);
      });
      for (const failure of failures) expect(expected).toContain((failure as { type?: string }).type);
      for (const answer of answers) expect(answer).toMatchObject({ text: 'hi' });
      expect(Math.round(growthBytes / MIB)).toBeLessThan(MOST_GROWTH_BYTES / MIB);
    },
  );
});
