/** `withProvider` as an activity calls it: within an activity's context, given the reference of a chain. */
import { describe, expect, test } from 'vitest';
import { withProvider } from '../../src/index.js';
import { resolverInContext } from '../../src/plugin/with-provider.js';
import { ProviderError } from '../../src/protocol/errors.js';
import { inActivity } from '../activities/in-activity.js';
import { resolverInMemory, WORKSPACE } from '../resolver/resolver-in-memory.js';

const memory = resolverInMemory();

describe("withProvider given a chain's reference", () => {
  async function chain() {
    for (const [name, priority] of [
      ['main', 10],
      ['backup', 20],
    ] as const) {
      const secret = { url: `https://${name}.example/canary-${name}` };
      await memory.store.put(WORKSPACE, 'rpc', name, { chainId: 1, priority }, secret);
    }
    const resolver = memory.resolverWith();
    const reference = await resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 });
    return { reference, activity: inActivity({}, [() => ({ inbound: resolverInContext(resolver) })]) };
  }

  test('fails over to the next endpoint', async () => {
    const { reference, activity } = await chain();
    const ask = () =>
      withProvider(reference, async ({ use }) => {
        if (use.name === 'main') throw new ProviderError('ProviderUnavailable', 'a test');
        return use.name;
      });
    expect(await activity.run(ask)).toBe('backup');
  });

  test("fails with the endpoints' failure type if none answers", async () => {
    const { reference, activity } = await chain();
    const ask = () =>
      withProvider(reference, async () => Promise.reject(new ProviderError('ProviderQuotaExhausted', 'a test')));
    await expect(activity.run(ask)).rejects.toMatchObject({ type: 'ProviderQuotaExhausted', nonRetryable: true });
  });
});
