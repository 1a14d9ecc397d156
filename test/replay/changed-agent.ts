/** The address agent, changed as it must not be while agents are running: it reads the chain before it asks a model. */
import { resolveRpcEndpoint } from '../../src/workflow.js';
import { type AddressAnswer, type AddressQuestion, addressAgent as asItWas } from '../../src/workflows/index.js';

export async function addressAgent(question: AddressQuestion): Promise<AddressAnswer> {
  const { workspaceId, chainId } = question;
  await resolveRpcEndpoint({ workspaceId, chainId });
  return asItWas(question);
}
