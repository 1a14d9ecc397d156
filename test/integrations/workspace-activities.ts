/** Activities of a workflow that was granted for a workspace, without a worker. */
import { resolverInContext } from '../../src/plugin/with-provider.js';
import type { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { inActivity } from '../activities/in-activity.js';
import { type AgentStage, newWorkspace } from '../support/agent-stage.js';

/** Creates a workspace that has these services. `held` returns which of its credentials are open. */
export async function workspaceWith(stage: AgentStage, ...services: ('anthropic' | 'openai' | 'gemini')[]) {
  const workspaceId = newWorkspace();
  const keys: string[] = [];
  for (const service of services) keys.push(await stage.addLlm(workspaceId, service));
  const { resolver } = await stage.connect();
  const granted: ProviderResolver = resolver.scopedTo(async (named = workspaceId) => named);
  const environment = inActivity({}, [() => ({ inbound: resolverInContext(granted) })]);
  return {
    workspaceId,
    keys,
    environment,
    resolver: granted,
    run: <Result>(activity: () => Promise<Result>): Promise<Result> => environment.run(activity) as Promise<Result>,
    held: () => {
      const { scopes } = resolver.parts;
      scopes.outdate([workspaceId]);
      return scopes.outdated();
    },
  };
}
