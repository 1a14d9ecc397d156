import { expect, it } from 'vitest';
import { EgressPolicy, PUBLIC_EGRESS } from '../../src/egress/policy.js';
import { checkDestination } from '../../src/providers/parse-provider.js';
import { parseProvider } from '../support/built-in-types.js';

const CANARY = 'canary-key-5e1f0c7d';
const own = (type: string, url: string) =>
  type === 'rpc'
    ? endpoint(url)
    : parseProvider(type, 'own', { baseURL: url }, type === 'llm' ? { apiKey: CANARY } : { key: CANARY });
const endpoint = (url: string) => parseProvider('rpc', 'own', { chainId: 1 }, { url });

it.each([
  ['rpc', `https://10.0.0.1/${CANARY}`, 'secret.url', 'PROVIDER_EGRESS_NETWORKS'],
  ['rpc', `http://127.0.0.1:8545/${CANARY}`, 'secret.url', 'PROVIDER_EGRESS_NETWORKS'],
  ['llm', `https://node.example.com:5432/${CANARY}`, 'config.baseURL', 'PROVIDER_EGRESS_PORTS'],
  ['http', `https://node.example.com:5432/${CANARY}`, 'config.baseURL', 'PROVIDER_EGRESS_PORTS'],
])('a provider of type %s is refused for its URL, which is not shown: %s', (type, url, field, setting) => {
  const check = () => checkDestination(own(type, url), PUBLIC_EGRESS);
  expect(check).toThrow(expect.objectContaining({ type: 'ProviderConfigInvalid', facts: { fields: [field] } }));
  expect(check).toThrow(setting);
  expect(check).not.toThrow(CANARY);
  expect(check).not.toThrow(new URL(url).hostname);
});

it('an endpoint with a user is accepted, because the user becomes a header', () => {
  const destination = endpoint(`https://user:${CANARY}@node.example.com/`);
  expect(() => checkDestination(destination, PUBLIC_EGRESS)).not.toThrow();
});

it('an endpoint is sent to its whole URL, without its user, and with its headers [G11]', () => {
  const secret = {
    url: `https://user:${CANARY}@NODE.example.com:443/acme/rpc?key=${CANARY}`,
    headers: { 'X-B': '2', a: '1' },
  };
  const { destination, sentTo } = parseProvider('rpc', 'own', { chainId: 1 }, secret);
  expect(sentTo).toEqual([`https://node.example.com/acme/rpc?key=${CANARY}`, 'a: 1', 'x-b: 2']);
  expect(destination, 'nothing of it is in the header of the sealed text').toBe('');
});

it('an internal endpoint is accepted if the settings allow it', () => {
  const egress = new EgressPolicy({ networks: ['loopback'] });
  expect(() => checkDestination(endpoint('http://127.0.0.1:8545/'), egress)).not.toThrow();
});
