/**
 * A process of the fleet that a fence waits for: it keeps a lease, holds a workspace in its cache, and tells which
 * version it serves when it is asked.
 */
import { WorkspaceProviders } from '../dist/index.js';

const [workspaceId] = process.argv.slice(2);
const providers = await WorkspaceProviders.connect();
process.on('message', async () => {
  const { version } = await providers.resolver.resolveLlmKey({ workspaceId: workspaceId, provider: 'anthropic' });
  process.send?.({ version });
});
process.on('disconnect', () => process.exit());
process.send?.({ workerId: providers.workerId });
