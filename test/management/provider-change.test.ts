/** A change of the address that a secret is sent to needs the secret itself. */
import { describe, expect, it } from 'vitest';
import { changeProvider, type ProviderChange } from '../../src/management/provider-change.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';

const MISTRAL = { workspaceId: 'ws_acme', type: 'llm', name: 'mistral' };
const STORED_LLM = {
  config: { baseURL: 'https://api.mistral.example/v1', model: 'large' },
  secret: { apiKey: 'canary-llm-key-a1b2' },
};

const MAINNET = { workspaceId: 'ws_acme', type: 'rpc', name: 'mainnet' };
const STORED_RPC = {
  config: { chainId: 1, priority: 100 },
  secret: { url: 'https://rpc.example/v2/canary-path-a1b2', headers: { 'x-token': 'canary-token-c3d4' } },
};

const TYPES = ProviderTypes.builtIn;
const llm = (change: ProviderChange) => changeProvider(MISTRAL, STORED_LLM, change, TYPES);
const rpc = (change: ProviderChange) => changeProvider(MAINNET, STORED_RPC, change, TYPES);
const refused = (...fields: string[]) =>
  expect.objectContaining({ type: 'ProviderConfigInvalid', facts: expect.objectContaining({ fields }) });

describe('an update', () => {
  it('changes the fields that are given and keeps the others', () => {
    const { config, secret } = llm({ config: { model: 'small' } });
    expect(config).toEqual({ baseURL: 'https://api.mistral.example/v1', model: 'small' });
    expect(secret).toEqual(STORED_LLM.secret);
  });

  it('removes a field that is null', () => {
    expect(llm({ config: { model: null } }).config).toEqual({ baseURL: 'https://api.mistral.example/v1' });
    const { url } = STORED_RPC.secret;
    expect(rpc({ secret: { url, headers: null } }).secret).toEqual({ url });
  });

  it('refuses to remove a required field', () => {
    expect(() => llm({ secret: { apiKey: null } })).toThrow(refused('secret.apiKey'));
  });

  it('keeps the stored value of a masked field', () => {
    expect(llm({ config: { model: 'small' }, secret: { apiKey: '…a1b2' } }).secret).toEqual(STORED_LLM.secret);
    expect(rpc({ secret: { url: '…a1b2', headers: { 'x-token': '…c3d4' } } }).secret).toEqual(STORED_RPC.secret);
  });
});

describe('an update that sends the secret to another destination [G11]', () => {
  const config = { baseURL: 'https://api.attacker.example/v1' };

  it.each([
    ['left out', undefined],
    ['masked', { apiKey: '…a1b2' }],
  ])('is refused if the secret is %s', (_how, secret) => {
    expect(() => llm({ config, ...(secret && { secret }) })).toThrow(refused('secret.apiKey'));
  });

  it.each([
    ['another path, which may be another account behind one gateway', 'https://api.mistral.example/v1/mallory'],
    ['another port', 'https://api.mistral.example:8443/v1'],
    ['http', 'http://127.0.0.1:8080/v1'],
    ['a look-alike host', 'https://api.mistral.example.attacker.example/v1'],
  ])('is refused for %s', (_what, baseURL) => {
    expect(() => llm({ config: { baseURL } })).toThrow(refused('secret.apiKey'));
  });

  it('is refused if the custom base URL is removed, so that the vendor would get the key', () => {
    const anthropic = { ...MISTRAL, name: 'anthropic' };
    expect(() => changeProvider(anthropic, STORED_LLM, { config: { baseURL: null } }, TYPES)).toThrow(
      refused('secret.apiKey'),
    );
  });

  it('is refused for an RPC endpoint if one of its headers is kept', () => {
    const url = 'https://rpc.attacker.example/v2/canary-new-e5f6';
    expect(() => rpc({ secret: { url } })).toThrow(refused('secret.headers'));
    const headers = { 'x-token': '…c3d4', 'x-other': 'canary-new' };
    expect(() => rpc({ secret: { url, headers } })).toThrow(refused('secret.headers'));
    expect(rpc({ secret: { url, headers: { 'x-token': 'canary-new' } } }).secret).toMatchObject({ url });
    expect(rpc({ secret: { url, headers: null } }).secret).toEqual({ url });
  });

  it('is accepted if every secret field is given in plaintext', () => {
    expect(llm({ config, secret: { apiKey: 'canary-new-key-e5f6' } }).destination).toBe(config.baseURL);
  });

  it('names fields and no values in its message', () => {
    expect(() => llm({ config })).toThrow(
      'llm/mistral of ws_acme would send its secret to another destination: give secret.apiKey again, in plaintext',
    );
  });

  it('is refused for any address if the stored config is no longer valid', () => {
    const misfit = { config: { baseURL: 'canary not a URL' }, secret: STORED_LLM.secret };
    const repair = { config: STORED_LLM.config };
    expect(() => changeProvider(MISTRAL, misfit, repair, TYPES)).toThrow(refused('secret.apiKey'));
  });
});
