import { describe, expect, it } from 'vitest';
import type { RpcCredential } from '../../src/providers/rpc/rpc.js';
import { parseProvider } from '../support/built-in-types.js';
import { everyPrintOf } from './prints.js';

const KEY = 'canary-llm-key-a1b2c3d4';
const llmSecret = { apiKey: KEY };
const tenderlyConfig = { account: 'acme', project: 'agents' };
const tenderlySecret = { accessKey: KEY };
const rpcConfig = { chainId: 1 };
const rpcSecret = { url: `https://mainnet.rpc.example/v2/${KEY}` };

describe('a provider has the expected shown facts and destination:', () => {
  it.each<[string, string, object, object, object, string]>([
    ['llm', 'anthropic', {}, llmSecret, { key: '…c3d4', host: 'api.anthropic.com' }, 'https://api.anthropic.com'],
    [
      'llm',
      'mistral',
      { baseURL: 'https://api.mistral.example/v1/', model: 'large' },
      llmSecret,
      { key: '…c3d4', host: 'api.mistral.example', model: 'large' },
      'https://api.mistral.example/v1',
    ],
    [
      'tenderly',
      'default',
      tenderlyConfig,
      tenderlySecret,
      { account: 'acme', project: 'agents', key: '…c3d4' },
      'https://api.tenderly.co account=acme project=agents',
    ],
    [
      'rpc',
      'mainnet',
      rpcConfig,
      rpcSecret,
      { chainId: 1, priority: 100, host: 'mainnet.rpc.example', key: '…c3d4' },
      '',
    ],
    [
      'rpc',
      'in-the-query',
      rpcConfig,
      { url: `https://rpc.example/?apikey=${KEY}` },
      { chainId: 1, priority: 100, host: 'rpc.example', key: '…c3d4' },
      '',
    ],
    [
      'rpc',
      'in-the-host',
      rpcConfig,
      { url: 'https://canary0123456789abcdef0123.eth.example:8443/' },
      { chainId: 1, priority: 100, host: '….eth.example:8443', key: '…' },
      '',
    ],
  ])('%s/%s', (type, name, config, secret, shown, destination) => {
    const parsed = parseProvider(type, name, config, secret);
    expect(parsed.shown).toEqual(shown);
    expect(parsed.destination).toBe(destination);
    expect(JSON.stringify(parsed.shown)).not.toContain(KEY);
  });
});

describe('a credential', () => {
  it('has a placeholder for each of its secrets, the same each time, and another for each workspace', () => {
    for (const [type, name, config, secret] of [
      ['llm', 'openai', {}, llmSecret],
      ['tenderly', 'default', tenderlyConfig, { ...tenderlySecret, nodeAccessKey: KEY }],
      ['rpc', 'mainnet', rpcConfig, { ...rpcSecret, headers: { authorization: `Bearer ${KEY}` } }],
    ] as const) {
      const { credential } = parseProvider(type, name, config, secret, 'ws_acme');
      expect(everyPrintOf(credential)).not.toContain(KEY);
      expect(parseProvider(type, name, config, secret, 'ws_acme').credential).toEqual(credential);
      expect(parseProvider(type, name, config, secret, 'ws_other').credential).not.toEqual(credential);
    }
  });

  it('accepts a base URL with and without the version path', () => {
    const baseURLs = (name: 'anthropic' | 'gemini' | 'openai', baseURL: string) =>
      parseProvider('llm', name, { baseURL }, llmSecret).credential.baseURL;
    expect(baseURLs('anthropic', 'https://api.anthropic.com')).toBe('https://api.anthropic.com');
    expect(baseURLs('anthropic', 'https://api.anthropic.com/v1/')).toBe('https://api.anthropic.com');
    expect(baseURLs('gemini', 'https://gateway.example/v1beta')).toBe('https://gateway.example');
    expect(baseURLs('openai', 'https://gateway.example/v1')).toBe('https://gateway.example/v1');
  });

  it.each([
    ['user:p%40ss@', 'user:p@ss'],
    ['user@', 'user:'],
    [':p%zz@', ':p%zz'],
  ])('turns the %j of an endpoint into a header, because `fetch` does not accept such a URL', (userinfo, decoded) => {
    const { service } = parseProvider('rpc', 'own-node', rpcConfig, { url: `https://${userinfo}node.example/rpc` });
    const revealed = service.reveal() as RpcCredential;
    expect(revealed.url).toBe('https://node.example/rpc');
    expect(revealed.headers.authorization).toBe(`Basic ${Buffer.from(decoded).toString('base64')}`);
  });

  it('has one header per name, and an explicit header replaces the one from the URL', () => {
    const secret = { url: 'https://user:pass@node.example', headers: { Authorization: 'Bearer canary' } };
    const { headers } = parseProvider('rpc', 'own-node', rpcConfig, secret).service.reveal() as RpcCredential;
    expect(headers).toEqual({ authorization: 'Bearer canary' });
  });
});
