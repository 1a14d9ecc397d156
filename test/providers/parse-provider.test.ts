import { describe, expect, it } from 'vitest';
import { isProviderError, type ProviderError } from '../../src/protocol/errors.js';
import { parseProvider, providerType } from '../support/built-in-types.js';
import { everyPrintOf } from './prints.js';

const KEY = 'canary-llm-key-a1b2c3d4';
const llmSecret = { apiKey: KEY };
const tenderlyConfig = { account: 'acme', project: 'agents' };
const tenderlySecret = { accessKey: KEY };
const rpcConfig = { chainId: 1 };
const rpcSecret = { url: `https://mainnet.rpc.example/v2/${KEY}` };

function refusalOf(type: string, name: string, config: unknown, secret: unknown): ProviderError {
  try {
    parseProvider(type, name, config, secret);
  } catch (error) {
    if (isProviderError(error, 'ProviderConfigInvalid')) return error;
    throw error;
  }
  throw new Error('the provider was accepted, but a ProviderConfigInvalid error was expected');
}

describe('a valid provider is accepted:', () => {
  it.each<[string, string, object, object]>([
    ['llm', 'anthropic', {}, llmSecret],
    ['llm', 'anthropic', { baseURL: 'https://gateway.example/anthropic', model: 'claude-sonnet-4-5' }, llmSecret],
    ['llm', 'openai', { organization: 'org-1', project: 'proj_1' }, llmSecret],
    ['llm', 'gemini', { model: 'models/gemini-2.5-flash' }, llmSecret],
    ['llm', 'mistral', { baseURL: 'https://api.mistral.example/v1' }, llmSecret],
    ['llm', 'local', { baseURL: 'http://localhost:11434/v1' }, llmSecret],
    ['llm', 'local', { baseURL: 'http://[::1]:11434/v1' }, llmSecret],
    ['tenderly', 'default', tenderlyConfig, tenderlySecret],
    ['tenderly', 'default', tenderlyConfig, { ...tenderlySecret, nodeAccessKey: KEY }],
    ['rpc', 'mainnet-primary', { chainId: 1, priority: 0 }, rpcSecret],
    ['rpc', 'mainnet', rpcConfig, { url: 'http://127.0.0.1:8545' }],
    ['rpc', 'mainnet', rpcConfig, { ...rpcSecret, headers: { authorization: `Bearer ${KEY}` } }],
    ['llm-admin', 'anthropic', {}, { adminKey: KEY }],
    ['llm-admin', 'openai', { project: 'proj_1', baseURL: 'https://gateway.example/v1' }, { adminKey: KEY }],
  ])('%s/%s %j', (type, name, config, secret) => {
    expect(parseProvider(type, name, config, secret)).toMatchObject({ secret });
  });
});

describe('an invalid provider is refused with the name of the field [G18]:', () => {
  const tooLong = 'k'.repeat(8193);
  const longURL = (length: number) => 'https://h.example/'.padEnd(length, KEY);
  it.each<[string, string, string, unknown, unknown, string[]]>([
    ['no config', 'llm', 'anthropic', undefined, llmSecret, ['config']],
    ['a config that is a string', 'llm', 'anthropic', KEY, llmSecret, ['config']],
    ['no secret', 'llm', 'anthropic', {}, null, ['secret']],
    ['a secret that is a list', 'llm', 'anthropic', {}, [KEY], ['secret']],
    ['an unknown field', 'llm', 'anthropic', { [KEY]: 1 }, llmSecret, ['config']],
    ['a field of another vendor', 'llm', 'anthropic', { organization: 'org-1' }, llmSecret, ['config']],
    ['an unknown secret field', 'llm', 'anthropic', {}, { ...llmSecret, [KEY]: '' }, ['secret']],
    ['a compatible service without base URL', 'llm', 'mistral', {}, llmSecret, ['config.baseURL']],
    ['an invalid base URL', 'llm', 'openai', { baseURL: `${KEY}` }, llmSecret, ['config.baseURL']],
    ['a base URL that is a number', 'llm', 'openai', { baseURL: 1 }, llmSecret, ['config.baseURL']],
    ['plain http', 'llm', 'openai', { baseURL: `http://${KEY}.example/v1` }, llmSecret, ['config.baseURL']],
    [
      'http to a host that only starts like loopback',
      'llm',
      'openai',
      { baseURL: 'http://localhost.example' },
      llmSecret,
      ['config.baseURL'],
    ],
    ['another scheme', 'llm', 'openai', { baseURL: `file:///${KEY}` }, llmSecret, ['config.baseURL']],
    ['user and password', 'llm', 'openai', { baseURL: `https://u:${KEY}@h.example` }, llmSecret, ['config.baseURL']],
    ['only a user', 'llm', 'openai', { baseURL: `https://${KEY}@h.example` }, llmSecret, ['config.baseURL']],
    ['a query', 'llm', 'openai', { baseURL: `https://h.example/v1?key=${KEY}` }, llmSecret, ['config.baseURL']],
    ['a fragment', 'llm', 'openai', { baseURL: `https://h.example/v1#${KEY}` }, llmSecret, ['config.baseURL']],
    ['a line break', 'llm', 'openai', { baseURL: `https://h.example/\n${KEY}` }, llmSecret, ['config.baseURL']],
    ['dots in the path', 'llm', 'openai', { baseURL: `https://h.example/../${KEY}` }, llmSecret, ['config.baseURL']],
    ['a backslash', 'llm', 'openai', { baseURL: `https://h.example\\@${KEY}/` }, llmSecret, ['config.baseURL']],
    [
      'an empty part of a path',
      'llm',
      'openai',
      { baseURL: `https://h.example//${KEY}` },
      llmSecret,
      ['config.baseURL'],
    ],
    ['a host as a number', 'llm', 'openai', { baseURL: `https://2130706433/${KEY}` }, llmSecret, ['config.baseURL']],
    ['2049 characters', 'llm', 'openai', { baseURL: longURL(2049) }, llmSecret, ['config.baseURL']],
    ['a model that leaves its path', 'llm', 'gemini', { model: `../../${KEY}` }, llmSecret, ['config.model']],
    ['a model with a query', 'llm', 'gemini', { model: `a?${KEY}` }, llmSecret, ['config.model']],
    ['a model with escaped dots', 'llm', 'gemini', { model: `%2e%2e/${KEY}` }, llmSecret, ['config.model']],
    ['a model with a space', 'llm', 'openai', { model: `a ${KEY}` }, llmSecret, ['config.model']],
    [
      'an organization with a line break',
      'llm',
      'openai',
      { organization: `a\n${KEY}` },
      llmSecret,
      ['config.organization'],
    ],
    ['an empty key', 'llm', 'openai', {}, { apiKey: '' }, ['secret.apiKey']],
    ['no key', 'llm', 'openai', {}, {}, ['secret.apiKey']],
    ['a key that is a number', 'llm', 'openai', {}, { apiKey: 7 }, ['secret.apiKey']],
    ['a key with a line break', 'llm', 'openai', {}, { apiKey: `${KEY}\n` }, ['secret.apiKey']],
    ['a key with a space', 'llm', 'openai', {}, { apiKey: ` ${KEY}` }, ['secret.apiKey']],
    ['a key with a control character', 'llm', 'openai', {}, { apiKey: `${KEY}\u0000` }, ['secret.apiKey']],
    ['a key that is not ASCII', 'llm', 'openai', {}, { apiKey: `${KEY}ü` }, ['secret.apiKey']],
    ['a key that is too long', 'llm', 'openai', {}, { apiKey: tooLong }, ['secret.apiKey']],
    ['a key of ten megabytes', 'llm', 'openai', {}, { apiKey: 'k'.repeat(1e7) }, ['secret.apiKey']],
    ['a masked key', 'llm', 'openai', {}, { apiKey: '…c3d4' }, ['secret.apiKey']],
    ['a key of stars', 'llm', 'openai', {}, { apiKey: '**********' }, ['secret.apiKey']],
    ['a redacted key', 'llm', 'openai', {}, { apiKey: '[redacted]' }, ['secret.apiKey']],
    ['no account', 'tenderly', 'default', { project: 'agents' }, tenderlySecret, ['config.account']],
    [
      'an account that leaves its path',
      'tenderly',
      'default',
      { account: '../x', project: 'p' },
      tenderlySecret,
      ['config.account'],
    ],
    [
      'an empty node access key',
      'tenderly',
      'default',
      tenderlyConfig,
      { ...tenderlySecret, nodeAccessKey: '' },
      ['secret.nodeAccessKey'],
    ],
    ['another name', 'tenderly', 'second', tenderlyConfig, tenderlySecret, ['name']],
    ['a chain id as text', 'rpc', 'mainnet', { chainId: '1' }, rpcSecret, ['config.chainId']],
    ['chain 0', 'rpc', 'mainnet', { chainId: 0 }, rpcSecret, ['config.chainId']],
    ['a fractional chain id', 'rpc', 'mainnet', { chainId: 1.5 }, rpcSecret, ['config.chainId']],
    ['a chain id beyond the safe integers', 'rpc', 'mainnet', { chainId: 2 ** 53 }, rpcSecret, ['config.chainId']],
    ['a negative priority', 'rpc', 'mainnet', { chainId: 1, priority: -1 }, rpcSecret, ['config.priority']],
    ['no URL', 'rpc', 'mainnet', rpcConfig, {}, ['secret.url']],
    ['an invalid URL', 'rpc', 'mainnet', rpcConfig, { url: KEY }, ['secret.url']],
    ['a websocket', 'rpc', 'mainnet', rpcConfig, { url: `wss://h.example/${KEY}` }, ['secret.url']],
    ['plain http', 'rpc', 'mainnet', rpcConfig, { url: `http://h.example/${KEY}` }, ['secret.url']],
    ['a URL with a fragment', 'rpc', 'mainnet', rpcConfig, { url: `https://h.example/#${KEY}` }, ['secret.url']],
    [
      'a header with a line break',
      'rpc',
      'mainnet',
      rpcConfig,
      { ...rpcSecret, headers: { a: `${KEY}\r\nb: c` } },
      ['secret.headers'],
    ],
    [
      'an invalid header name',
      'rpc',
      'mainnet',
      rpcConfig,
      { ...rpcSecret, headers: { [`a b${KEY}`]: 'x' } },
      ['secret.headers'],
    ],
    [
      'a header that the HTTP client sets',
      'rpc',
      'mainnet',
      rpcConfig,
      { ...rpcSecret, headers: { Host: KEY } },
      ['secret.headers'],
    ],
    ['a header that is a number', 'rpc', 'mainnet', rpcConfig, { ...rpcSecret, headers: { a: 1 } }, ['secret.headers']],
    ['an invalid config and secret', 'rpc', 'mainnet', {}, { url: KEY }, ['config.chainId', 'secret.url']],
    ['a name with capitals', 'llm', `OpenAI-${KEY}`, {}, llmSecret, ['name']],
    ['a name with a control character', 'llm', `a\u0007${KEY}`, {}, llmSecret, ['name']],
    ['a name that is too long', 'llm', KEY.repeat(5), {}, llmSecret, ['name']],
    ['an admin key of another vendor', 'llm-admin', 'gemini', {}, { adminKey: KEY }, ['name']],
    ['an admin key without a project', 'llm-admin', 'openai', {}, { adminKey: KEY }, ['config.project']],
    [
      'a project that leaves its path',
      'llm-admin',
      'openai',
      { project: 'proj/../x' },
      { adminKey: KEY },
      ['config.project'],
    ],
    [
      'a project for a vendor without projects',
      'llm-admin',
      'anthropic',
      { project: 'p' },
      { adminKey: KEY },
      ['config'],
    ],
    ['no admin key', 'llm-admin', 'anthropic', {}, { apiKey: KEY }, ['secret.adminKey', 'secret']],
    ['an unknown type', `mail-${KEY}`, 'default', {}, llmSecret, ['type']],
    ['a type that is the name of a built-in property', 'constructor', 'default', {}, llmSecret, ['type']],
  ])('%s', (_what, type, name, config, secret, fields) => {
    const refusal = refusalOf(type, name, config, secret);
    expect(refusal.facts.fields).toEqual(fields);
    for (const field of fields)
      expect(refusal.message).toContain(field === 'type' ? 'type must be one of' : field.split('.').at(-1));
    expect(everyPrintOf(refusal)).not.toContain(KEY);
  });

  it('lists the known fields', () => {
    expect(refusalOf('llm', 'openai', { baseUrl: 'https://h.example' }, {}).message).toBe(
      'llm/openai: config has an unknown field; it takes baseURL, model, organization, project, protocol, ' +
        'apiVersion, keyHeader, headers, tokenParameter, omitParameters, structuredOutputs, stream, defaultOptions; ' +
        '' +
        'secret.apiKey must be 16 to 8192 printable ASCII characters without spaces, 8 of them different, and not a masked value',
    );
  });

  it('lists the known types', () => {
    expect(() => providerType('mail')).toThrow(
      'type must be one of llm, tenderly, rpc, http, llm-admin; types of your own are given',
    );
  });
});
