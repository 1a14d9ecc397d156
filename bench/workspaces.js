/** The workspaces of the benchmarks: each has an LLM key, an RPC endpoint and a Tenderly account, all plainly fake. */
import { randomBytes } from 'node:crypto';

export function createEncryptionKey() {
  return `bench:${randomBytes(32).toString('base64')}`;
}

/** @param {number} count */
export function createWorkspaceIds(count) {
  return Array.from({ length: count }, (_, index) => `ws_${index}_${randomBytes(8).toString('hex')}`);
}

/** @param {string} workspaceId */
export function providersOf(workspaceId) {
  return [
    { type: 'llm', name: 'anthropic', config: {}, secret: { apiKey: `canary-llm-${workspaceId}-${'0'.repeat(64)}` } },
    {
      type: 'rpc',
      name: 'mainnet',
      config: { chainId: 1 },
      secret: { url: `https://rpc.example/v2/canary-rpc-${workspaceId}` },
    },
    {
      type: 'tenderly',
      name: 'default',
      config: { account: 'acme', project: 'agents' },
      secret: { accessKey: `canary-tenderly-${workspaceId}` },
    },
  ];
}
