/** Provider types that users define: what is filled in, what is refused, and how their services are called. */
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { createFetch, type HttpClient } from '../../src/egress/http-client.js';
import { toProviderError } from '../../src/providers/answers/provider-error.js';
import { serviceAnswerError } from '../../src/providers/answers/service-answer.js';
import type { CredentialOf } from '../../src/providers/credentials.js';
import { defineProviderType } from '../../src/providers/define-type.js';
import type { FieldSchema } from '../../src/providers/field-schema.js';
import { secretKey, serviceURL } from '../../src/providers/fields.js';
import type { ParsedProvider } from '../../src/providers/parse-provider.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { redact } from '../../src/redaction/opened-secrets.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { startService } from './local-service.js';

const KEY = 'canary-key-of-weather-5e1f';
const OTHER = 'canary-key-of-nobody-77aa';
const PROVIDER = { workspaceId: 'ws_acme', type: 'weather', name: 'default' };

/** As little as a type needs, and a URL that tests can choose. */
const weather = defineProviderType({
  type: 'weather',
  config: {
    baseURL: serviceURL().optional(),
    units: z.enum(['metric', 'imperial'], 'must be metric or imperial').optional(),
  },
  secret: { apiKey: secretKey },
  destination: ({ config }) => config.baseURL ?? 'https://api.weather.example',
  sentIn: ({ secret }) => ({ headers: { 'x-api-key': secret.apiKey } }),
  probe: () => ({ path: '/account' }),
  answers: [{ means: 'out of credit', codes: ['no_tokens_left'] }],
});
const types = ProviderTypes.with([weather]);
const parse = (config: object = {}, secret: object = { apiKey: KEY }) =>
  types.parse('weather', 'default', config, secret);

let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());
const context = () => ({ fetch: http.fetch, signal: new AbortController().signal });

describe('a type that defines only what it must', () => {
  it('hands over its config, its URL and a placeholder for its secret', () => {
    const { credential, shown, destination } = parse({ units: 'metric' });
    expect(credential).toEqual({
      units: 'metric',
      baseURL: 'https://api.weather.example',
      apiKey: expect.stringMatching(/^wpk[0-9a-f]{24}$/),
    });
    expect(JSON.stringify(credential)).not.toContain(KEY);
    expect(shown).toEqual({ key: '…5e1f', host: 'api.weather.example' });
    expect(destination).toBe('https://api.weather.example');
    type Credential = CredentialOf<'weather', [typeof weather]>;
    expectTypeOf<Credential['apiKey']>().toEqualTypeOf<string>();
    expectTypeOf<Credential['baseURL']>().toEqualTypeOf<string>();
    expectTypeOf<Credential['units']>().toEqualTypeOf<'metric' | 'imperial' | undefined>();
  });

  it('has its secret redacted as soon as it is opened, also if its credential has no Secret [G19]', () => {
    const other = defineProviderType({
      type: 'quiet',
      secret: { token: secretKey },
      credential: () => ({ nothing: 'secret' }),
      destination: () => 'https://quiet.example',
    });
    const token = 'canary-token-of-quiet-41d9';
    ProviderTypes.with([other]).parse('quiet', 'a', {}, { token });
    expect(redact(`it was ${token}`)).toBe('it was [redacted]');
  });

  it.each([
    [
      'an unknown field',
      { units: 'metric', [KEY]: 1 },
      { apiKey: KEY },
      'config has an unknown field; it takes baseURL, units',
    ],
    ['a value that does not fit', { units: KEY }, { apiKey: KEY }, 'config.units must be metric or imperial'],
    ['a missing secret', {}, {}, 'secret.apiKey must be 16 to 8192'],
    ['a secret that is not an object', {}, KEY, 'secret must be an object with apiKey'],
  ])('refuses %s in words without a value', (_what, config, secret, message) => {
    const refused = () => parse(config, secret as object);
    expect(refused).toThrow(message);
    expect(refused).not.toThrow('canary');
  });

  it('is called with the secret put in, and nowhere but at its URL', async () => {
    const service = await startService({ status: 200, body: {} });
    const { service: own, credential } = parse({ baseURL: service.url }) as ParsedProvider<{ readonly apiKey: string }>;
    const fetch = own.adaptFetch(http.fetch);
    expect((await fetch('/forecast', { headers: { 'x-api-key': 'placeholder' } })).status).toBe(200);
    expect(service.requests[0]).toMatchObject({ path: '/forecast', headers: { 'x-api-key': KEY } });
    const headers = { 'x-api-key': credential.apiKey };
    const elsewhere = fetch('https://api.weather.example/forecast', { headers });
    await expect(elsewhere).rejects.toThrow(`is not at ${service.url}`);
  });

  it.each([
    ['accepts the key', (key: unknown) => (key === KEY ? 200 : 401), { outcome: 'ok' }],
    ['refuses the key', () => 401, { outcome: 'rejected', detail: 'the service refused the credential (HTTP 401)' }],
    ['forbids the call', () => 403, { outcome: 'cannot-tell' }],
    [
      'answers without a key too',
      () => 200,
      { outcome: 'cannot-tell', detail: expect.stringContaining('without a key') },
    ],
    ['is not available', () => 503, { outcome: 'cannot-tell' }],
  ])('is checked by its probe: a service that %s', async (_what, status, result) => {
    const service = await startService(({ headers }) => ({ status: status(headers['x-api-key']), body: {} }));
    expect(await parse({ baseURL: service.url }).service.check(context())).toMatchObject(result);
    expect(service.requests[0]?.path).toBe('/account');
  });

  it.each([
    [200, { error: { code: 'no_tokens_left' } }, 'ProviderQuotaExhausted'],
    [401, {}, 'CredentialRejected'],
    [403, {}, 'CredentialRejected'],
    [402, {}, 'ProviderQuotaExhausted'],
    [429, {}, 'ProviderRateLimited'],
    [404, {}, 'ProviderRequestInvalid'],
    [502, '<html>', 'ProviderUnavailable'],
  ])('has its answers understood by its rules, then by the status: %i', (status, body, type) => {
    const error = serviceAnswerError(new Response('', { status }), JSON.stringify(body));
    expect(toProviderError(error, PROVIDER, parse().service)).toMatchObject({ type, facts: { provider: PROVIDER } });
  });

  it('fails with the reason of its fetch, also if a vendor’s client wraps it', async () => {
    const { service } = parse({ baseURL: 'https://api.weather.example/v1' });
    const reason: unknown = await service
      .adaptFetch(http.fetch)('https://api.weather.example/v2')
      .catch((error: unknown) => error);
    const wrapped = new Error('could not reach the vendor', { cause: new Error('fetch failed', { cause: reason }) });
    expect(toProviderError(wrapped, PROVIDER, service)).toMatchObject({
      type: 'ProviderConfigInvalid',
      message: expect.stringContaining('weather/default of ws_acme: the URL of the request'),
    });
  });
});

describe('a type whose fetch fails on refusal', () => {
  const strict = defineProviderType({
    type: 'strict',
    config: { baseURL: serviceURL() },
    secret: { apiKey: secretKey },
    destination: ({ config }) => config.baseURL,
    sentIn: ({ secret }) => ({ headers: { authorization: `Bearer ${secret.apiKey}` } }),
    failsOnRefusal: true,
    answers: ({ body }) => ((body as { ok?: boolean } | undefined)?.ok === false ? 'rate limited' : undefined),
  });

  it.each([
    [200, { ok: true }, 'returned'],
    [200, { ok: false }, 'ProviderRateLimited'],
    [404, { ok: true }, 'returned'],
    [400, {}, 'returned'],
    [401, {}, 'CredentialRejected'],
    [503, {}, 'ProviderUnavailable'],
  ])(
    'returns what is about the request, and throws what is about the credential or the service: %i %j',
    async (status, body, becomes) => {
      const service = await startService({ status, body });
      const parsed = ProviderTypes.with([strict]).parse('strict', 'a', { baseURL: service.url }, { apiKey: KEY });
      const outcome = await parsed.service
        .adaptFetch?.(http.fetch)('/x')
        .then(
          async (response) => ({ type: 'returned', body: await response.json() }),
          (error: unknown) => toProviderError(error, PROVIDER, parsed.service),
        );
      expect(outcome).toMatchObject(becomes === 'returned' ? { type: becomes, body } : { type: becomes });
    },
  );
});

describe('schemas of other libraries', () => {
  /** As Valibot and ArkType do by default. */
  const quoting = (accepts: (value: unknown) => boolean): FieldSchema<string> => ({
    '~standard': {
      version: 1,
      vendor: 'quoting',
      validate: (value) =>
        accepts(value)
          ? { value: value as string }
          : { issues: [{ message: `must be short (was ${JSON.stringify(value)})` }] },
    },
  });
  const typeOf = (schema: FieldSchema<string>) =>
    ProviderTypes.with([
      defineProviderType({
        type: 'foreign',
        config: { region: schema },
        secret: { key: secretKey },
        destination: () => 'https://x.example',
      }),
    ]);

  it('are taken if they implement Standard Schema, and their messages are not if they repeat the value [G18]', () => {
    const foreign = typeOf(quoting((value) => value === 'eu'));
    expect(foreign.parse('foreign', 'a', { region: 'eu' }, { key: KEY }).credential).toMatchObject({ region: 'eu' });
    const refused = (region: unknown) => () => foreign.parse('foreign', 'a', { region }, { key: KEY });
    expect(refused(KEY)).toThrow('foreign/a: config.region is missing, or is not of the right form');
    expect(refused({ deep: [KEY] })).not.toThrow('canary');
    expect(refused({ [KEY]: 1 })).not.toThrow('canary');
    expect(refused('us'), 'short texts are no secrets').toThrow('must be short (was "us")');
  });

  it('are refused if they are asynchronous', () => {
    const asynchronous = z.string().refine(async () => true);
    const slow = {
      '~standard': { version: 1, vendor: 'slow', validate: async (value: unknown) => ({ value: String(value) }) },
    } as const;
    for (const schema of [asynchronous, slow]) {
      const refused = () => typeOf(schema).parse('foreign', 'a', { region: OTHER }, { key: KEY });
      expect(refused).toThrow('the schema of config.region is asynchronous');
    }
  });
});

describe('a definition', () => {
  const minimal = { type: 'x', secret: { key: secretKey }, destination: () => 'https://x.example' };
  it.each<[string, object, string]>([
    ['without a type', { ...minimal, type: undefined }, 'type of the provider type must be 1 to 32'],
    [
      'with a type that the database refuses',
      { ...minimal, type: 'Pine Cone' },
      'type of the provider type must be 1 to 32',
    ],
    [
      'without a secret',
      { ...minimal, secret: undefined },
      'secret of the provider type x must be an object with a schema per field',
    ],
    ['with an empty secret', { ...minimal, secret: {} }, 'secret of the provider type x must be an object'],
    [
      'with a schema of an object',
      { ...minimal, secret: z.object({ key: z.string() }) },
      'secret of the provider type x must be an object',
    ],
    [
      'with something else than schemas',
      { ...minimal, config: { region: 'text' } },
      'config of the provider type x must be',
    ],
    [
      'without a destination',
      { ...minimal, destination: 'https://x.example' },
      'destination of the provider type x must be a function',
    ],
    ['with a member that there is not', { ...minimal, header: 'x' }, 'header of the provider type x is not a member'],
    [
      'with a primary secret that there is not',
      { ...minimal, primarySecret: 'apiKey' },
      'primarySecret of the provider type x must be one of key',
    ],
    [
      'with a probe without sentIn',
      { ...minimal, probe: () => ({ path: '/' }) },
      'probe of the provider type x needs sentIn',
    ],
    [
      'with one field in both parts',
      { ...minimal, config: { key: z.string() } },
      'has the field key, and so has secret',
    ],
    [
      'with answers that are neither',
      { ...minimal, answers: 'all' },
      'answers of the provider type x must be a list of rules',
    ],
    ['with a function that is not one', { ...minimal, shown: {} }, 'shown of the provider type x must be a function'],
  ])('%s is refused when it is made', (_what, definition, message) => {
    const define = () => defineProviderType(definition as never);
    expect(define).toThrow(
      expect.objectContaining({ type: 'SetupInvalid', message: expect.stringContaining(message) }),
    );
  });

  it.each<[string, object, string]>([
    [
      'shows its secret',
      { shown: ({ secret }: { secret: { key: string } }) => ({ key: secret.key }) },
      'must not return a secret',
    ],
    [
      'throws',
      {
        credential: () => {
          throw new Error(KEY);
        },
      },
      'credential of the provider type x threw an error',
    ],
    ['has no URL', { destination: () => 'x.example' }, 'destination of the provider type x must return an https URL'],
    ['has a space in its destination', { destination: () => ['https://x.example', 'a=b c'] }, 'without spaces'],
  ])('that %s is refused when it is used, and nothing of the secret is said', (_what, more, message) => {
    const broken = defineProviderType({ ...minimal, ...more } as never);
    const use = () => ProviderTypes.with([broken]).parse('x', 'a', {}, { key: KEY });
    expect(use).toThrow(message);
    expect(use).not.toThrow('canary');
  });
});
