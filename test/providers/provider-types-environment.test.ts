import { describe, expect, it } from 'vitest';
import { isProviderError } from '../../src/protocol/errors.js';
import { fromEnvironment } from '../support/built-in-types.js';
import { everyPrintOf } from './prints.js';

const KEY = 'canary-llm-key-a1b2c3d4';
const url = `https://rpc.example/v2/${KEY}`;

describe('the platform’s credential is read from the environment', () => {
  it.each<[string, string, NodeJS.ProcessEnv, object, object]>([
    ['llm', 'anthropic', { ANTHROPIC_API_KEY: KEY }, {}, { apiKey: KEY }],
    ['llm', 'openai', { OPENAI_API_KEY: KEY }, {}, { apiKey: KEY }],
    ['llm', 'gemini', { GEMINI_API_KEY: KEY }, {}, { apiKey: KEY }],
    ['llm', 'gemini', { GOOGLE_GENERATIVE_AI_API_KEY: KEY }, {}, { apiKey: KEY }],
    ['llm', 'gemini', { GEMINI_API_KEY: KEY, GOOGLE_GENERATIVE_AI_API_KEY: 'canary-other' }, {}, { apiKey: KEY }],
    [
      'llm',
      'anthropic',
      { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: 'https://gateway.example' },
      { baseURL: 'https://gateway.example' },
      { apiKey: KEY },
    ],
    [
      'llm',
      'my-service.eu',
      { MY_SERVICE_EU_API_KEY: KEY, MY_SERVICE_EU_BASE_URL: 'https://eu.example/v1' },
      { baseURL: 'https://eu.example/v1' },
      { apiKey: KEY },
    ],
    [
      'tenderly',
      'default',
      { TENDERLY_ACCOUNT: 'acme', TENDERLY_PROJECT: 'agents', TENDERLY_ACCESS_KEY: KEY },
      { account: 'acme', project: 'agents' },
      { accessKey: KEY },
    ],
    [
      'tenderly',
      'default',
      {
        TENDERLY_ACCOUNT: 'acme',
        TENDERLY_PROJECT: 'agents',
        TENDERLY_ACCESS_KEY: KEY,
        TENDERLY_NODE_ACCESS_KEY: 'canary-node-access-key',
        TENDERLY_BASE_URL: 'http://127.0.0.1:9',
      },
      { account: 'acme', project: 'agents', baseURL: 'http://127.0.0.1:9' },
      { accessKey: KEY, nodeAccessKey: 'canary-node-access-key' },
    ],
    ['rpc', 'chain-8453', { RPC_URL_8453: url, RPC_URL_1: 'x' }, { chainId: 8453, priority: 100 }, { url }],
  ])('for %s/%s in %j', (type, name, env, config, secret) => {
    const found = fromEnvironment(type, name, env);
    expect(found?.config).toEqual(config);
    expect(found?.secret).toEqual(secret);
  });
});

describe('no credential is read from the environment', () => {
  it.each<[string, string, string, NodeJS.ProcessEnv]>([
    ['if it is empty', 'llm', 'anthropic', {}],
    ['from an empty variable', 'llm', 'anthropic', { ANTHROPIC_API_KEY: '' }],
    ['from another vendor’s key', 'llm', 'anthropic', { OPENAI_API_KEY: KEY }],
    ['from only a base URL', 'llm', 'openai', { OPENAI_BASE_URL: 'https://gateway.example/v1' }],
    ['for a compatible service from only a key', 'llm', 'mistral', { MISTRAL_API_KEY: KEY }],
    ['for the name of a built-in property', 'llm', 'constructor', { OPENAI_API_KEY: KEY }],
    ['from an account without its key', 'tenderly', 'default', { TENDERLY_ACCOUNT: 'a', TENDERLY_PROJECT: 'p' }],
    [
      'for another name',
      'tenderly',
      'second',
      { TENDERLY_ACCOUNT: 'a', TENDERLY_PROJECT: 'p', TENDERLY_ACCESS_KEY: KEY },
    ],
    ['for an admin', 'llm-admin', 'anthropic', { ANTHROPIC_API_KEY: KEY, ANTHROPIC_ADMIN_KEY: KEY }],
    ['from another chain', 'rpc', 'chain-1', { RPC_URL_10: url }],
    ['for a name that is not a chain', 'rpc', 'mainnet', { RPC_URL_1: url }],
    ['for a chain with a leading zero', 'rpc', 'chain-01', { RPC_URL_1: url }],
  ])('%s', (_what, type, name, env) => {
    expect(fromEnvironment(type, name, env)).toBeUndefined();
  });
});

it.each<[string, string, NodeJS.ProcessEnv, string]>([
  ['llm', 'anthropic', { ANTHROPIC_API_KEY: `${KEY}\n` }, 'secret.apiKey'],
  ['llm', 'openai', { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: KEY }, 'config.baseURL'],
  ['rpc', 'chain-1', { RPC_URL_1: `wss://h.example/${KEY}` }, 'secret.url'],
])('an invalid variable for %s/%s is refused, not ignored', (type, name, env, field) => {
  let refusal: unknown;
  try {
    fromEnvironment(type, name, env);
  } catch (error) {
    refusal = error;
  }
  expect(isProviderError(refusal, 'ProviderConfigInvalid')).toBe(true);
  expect(refusal).toMatchObject({ facts: { fields: [field] } });
  expect(everyPrintOf(refusal)).not.toContain(KEY);
});
