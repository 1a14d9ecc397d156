/**
 * A process of the fleet that a fence waits for. It keeps a lease, holds a workspace in its cache, and answers each
 * message with the version that it serves.
 */
import { ProviderResolver } from '../dist/index.js';

const [workspaceId] = process.argv.slice(2);
const resolver = await ProviderResolver.connect();
process.on('message', async () => {
  const { version } = await resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' });
  process.send?.({ version });
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
