/**
 * Arbitrary configs and secrets. Either they are valid, and then each of their headers and URLs can be sent; or the
 * error names known fields, and repeats nothing that was given.
 */
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createFetch } from '../../src/egress/http-client.js';
import { isProviderError } from '../../src/protocol/errors.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import type { RpcCredential } from '../../src/providers/rpc/rpc.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { parseProvider } from '../support/built-in-types.js';
import { startService } from './local-service.js';

const CANARY = 'canary-field-5eed';

const FIELDS = {
  config: [
    'baseURL',
    'model',
    'organization',
    'project',
    'account',
    'chainId',
    'priority',
    'auth',
    'username',
    'paths',
    'probe',
    'answers',
  ],
  secret: ['apiKey', 'adminKey', 'accessKey', 'nodeAccessKey', 'url', 'headers', 'key'],
};
const NAMES = ['anthropic', 'openai', 'gemini', 'mistral', 'default', 'mainnet', 'chain-1'];

const piece = fc.oneof(
  fc.constantFrom(CANARY, 'https://', 'http://', 'rpc.example', 'localhost', '[::1]', ':443', '/v1', '…', '[redacted]'),
  fc.constantFrom(...'/:@?#%&=. \r\n\t\0'),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const text = fc.oneof(
  fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
  fc.constantFrom('https://rpc.example/v2/canary-field-5eed', CANARY, 'claude', 'acme'),
  fc.integer({ min: 8_190, max: 8_194 }).map((length) => 'k'.repeat(length)),
);
const headerName = fc.oneof(
  fc.constantFrom('authorization', 'Authorization', 'x-api-key', 'X-Api-Key', '__proto__', 'constructor', 'cookie'),
  fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
  text,
);
const value = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 2, arbitrary: fc.dictionary(headerName, text, { maxKeys: 4, noNullPrototype: false }) },
  fc.constantFrom(1, 8453, -1, 1.5, Number.MAX_SAFE_INTEGER, 1e21),
  fc.anything({ withBigInt: true, withDate: true, withMap: true, maxDepth: 2 }),
);

function fields(names: readonly string[]) {
  const known = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 });
  return fc.oneof({ weight: 8, arbitrary: known }, fc.dictionary(text, value, { maxKeys: 3 }), fc.anything());
}

/** Messages show the name, so none of these contains the canary. */
const name = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...NAMES) }, fc.string({ unit: 'binary' }));
const type = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...ProviderTypes.builtIn.names) }, text);
const config = fields(FIELDS.config);
const secret = fields(FIELDS.secret);

const NAMED = [
  ...Object.entries(FIELDS).flatMap(([part, names]) => [part, ...names.map((field) => `${part}.${field}`)]),
  'name',
  'type',
];

/** Parses a provider. Returns `undefined` if it was refused with the expected error. */
function parsed(given: readonly [type: string, name: string, config: unknown, secret: unknown]) {
  try {
    return parseProvider(...given);
  } catch (error) {
    if (!isProviderError(error, 'ProviderConfigInvalid')) throw error;
    for (const field of error.facts.fields ?? []) expect(NAMED).toContain(field);
    expect(`${error.message} ${JSON.stringify(error)} ${error.cause}`).not.toContain(CANARY);
    return undefined;
  }
}

test('any config and secret are parsed, or refused with only the names of known fields [G18]', () => {
  fc.assert(
    fc.property(fc.tuple(type, name, config, secret), (given) => void parsed(given)),
    { numRuns: 3_000 },
  );
});

test('an accepted endpoint can be called: its URL parses, and each header is sent once and unchanged [G18]', () => {
  const url = fc.oneof(
    text,
    fc.tuple(text, text).map((userinfo) => `https://${userinfo.join(':')}@rpc.example/`),
  );
  const headers = fc.dictionary(headerName, text, { maxKeys: 4 });
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom('https://rpc.example/v2', 'https://my_node/v2', 'https://&node"/v2'), url),
      headers,
      (url, headers) => {
        const provider = parsed(['rpc', 'mainnet', { chainId: 1 }, { url, headers }]);
        if (!provider) return;
        accepted += 1;
        const { service } = parseProvider('rpc', 'mainnet', provider.config, provider.secret);
        const revealed = service.reveal() as RpcCredential;
        const request = new Request(revealed.url, { headers: Object.entries(revealed.headers) });
        // The schema library silently drops this header, whose name no service uses.
        const { ['__proto__']: _, ...others } = headers;
        for (const [field, value] of Object.entries(others)) expect(request.headers.get(field)).toBe(value);
      },
    ),
    { numRuns: 3_000 },
  );
  expect(accepted, 'how many of 3,000 were accepted').toBeGreaterThan(100);
});

// Headers with a meaning in HTTP. A client sets or refuses some of them, and then each call would fail.
test.each([
  ...['accept', 'accept-encoding', 'authorization', 'connection', 'content-encoding', 'content-length', 'content-type'],
  ...['cookie', 'date', 'expect', 'host', 'http2-settings', 'keep-alive', 'origin', 'proxy-authorization', 'range'],
  ...['proxy-connection', 'referer', 'sec-fetch-mode', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'user-agent'],
  ...['via', 'x-api-key', 'constructor'],
])('the header %s is refused when it is configured, or arrives unchanged', async (header) => {
  const service = await startService({ status: 200, body: {} });
  const { fetch, close } = createFetch({ egress: LOOPBACK_POLICY });
  onTestFinished(() => close());
  const headers = Object.fromEntries([[header, CANARY]]);
  const provider = parsed(['rpc', 'mainnet', { chainId: 1 }, { url: service.url, headers }]);
  if (!provider) return;
  const parsedAgain = parseProvider('rpc', 'mainnet', provider.config, provider.secret);
  await parsedAgain.service.adaptFetch(fetch)(parsedAgain.credential.url, { method: 'POST', body: '{}' });
  expect(service.requests[0]?.headers[header]).toBe(CANARY);
});
