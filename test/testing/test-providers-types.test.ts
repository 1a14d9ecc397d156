/** Provider types of one's own in tests of users, and what TypeScript knows of them. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineProviderType, type HttpCredential, secretKey, withProvider } from '../../src/index.js';
import type { ProviderReference } from '../../src/protocol/references.js';
import { testProviders } from '../../src/testing.js';

const weather = defineProviderType({
  type: 'weather',
  config: { units: z.enum(['metric', 'imperial'], 'must be metric or imperial') },
  secret: { apiKey: secretKey },
  destination: () => 'https://api.weather.example',
  sentIn: ({ secret }) => ({ headers: { 'x-api-key': secret.apiKey } }),
});
const withOwnProvider = withProvider.withTypes<[typeof weather]>();

const providers = testProviders(
  {
    ws_acme: {
      'weather/default': { apiKey: 'key-of-acme-for-weather', units: 'metric' },
      'http/tides': { key: 'key-of-acme-for-tides-1', baseURL: 'https://tides.example', auth: 'query:key' },
    },
  },
  { types: [weather], service: ({ url }) => Response.json({ url: new URL(url).pathname }) },
);
const environment = () => new MockActivityEnvironment({}, { interceptors: providers.interceptors('ws_acme') });

test('an activity opens a provider of a type of its own, and its fetch puts the key in', async () => {
  const opened = await environment().run(() =>
    withOwnProvider({ type: 'weather', name: 'default' }, async ({ credential, fetch }) => {
      expectTypeOf(credential.units).toEqualTypeOf<'metric' | 'imperial'>();
      expectTypeOf(credential.apiKey).toEqualTypeOf<string>();
      expect(credential.apiKey).toMatch(/^wpk[0-9a-f]{24}$/);
      return { units: credential.units, answer: await (await fetch('/forecast')).json() };
    }),
  );
  expect(opened).toEqual({ units: 'metric', answer: { url: '/forecast' } });
  expect(providers.calls.at(-1)?.provider).toMatchObject({ type: 'weather', name: 'default' });
});

test('an activity calls any API with a key, and a failure of it is one of the package', async () => {
  const ask = () =>
    withProvider({ type: 'http', name: 'tides' }, async ({ credential, fetch }) => {
      expectTypeOf(credential).toEqualTypeOf<HttpCredential>();
      return (await fetch('/today')).json();
    });
  expect(await environment().run(ask)).toEqual({ url: '/today' });
  expect(providers.calls.at(-1)?.url).toBe('https://tides.example/today?key=[redacted]');
  providers.failNext('ws_acme', 'http/tides', 'ProviderQuotaExhausted');
  await expect(environment().run(ask)).rejects.toMatchObject({ type: 'ProviderQuotaExhausted' });
  providers.failNext('ws_acme', 'http/tides', 'CredentialRejected');
  await expect(environment().run(ask)).rejects.toMatchObject({ type: 'CredentialRejected', nonRetryable: true });
});

test('a resolver knows the types that it was given, at run time and for TypeScript', async () => {
  const reference = await providers.resolver.resolveProvider({
    workspaceId: 'ws_acme',
    type: 'weather',
    name: 'default',
  });
  expectTypeOf(reference).toEqualTypeOf<ProviderReference<'weather'>>();
  expect(reference.shown).toEqual({ key: '…ther', host: 'api.weather.example' });
  const units = await providers.resolver.withProvider(reference, async ({ credential }) => credential.units);
  expectTypeOf(units).toEqualTypeOf<'metric' | 'imperial'>();
  expect(units).toBe('metric');
  // @ts-expect-error: there is no such type
  const unknown = providers.resolver.resolveProvider({ workspaceId: 'ws_acme', type: 'wether', name: 'default' });
  await expect(unknown).rejects.toThrow('type must be one of llm, tenderly, rpc, http, weather');
});

test('a provider of a type that the test was not given is refused', () => {
  const without = () => testProviders({ ws_acme: { 'weather/default': { apiKey: 'key-of-acme-for-weather' } } });
  expect(without).toThrow('types of your own are given as `types` or in PROVIDER_TYPES');
});
