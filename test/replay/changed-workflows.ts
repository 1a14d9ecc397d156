/**
 * Workflows with changes that must not be made while some are running: the address agents resolve a chain before they ask
 * a model, and a rotation activates the next credential before it has checked it.
 */
import type { RotateProviderInput, RotationStatus } from '../../src/protocol/rotation.js';
import { resolveRpcEndpoint } from '../../src/workflow.js';
import { operation, STORE_OPTIONS } from '../../src/workflows/rotation/proxies.js';
import {
  type AddressAnswer,
  type AddressQuestion,
  agentByName as asItAskedByName,
  rotateProvider as asItRotated,
  addressAgent as asItWas,
} from './workflows.js';

export async function addressAgent(question: AddressQuestion): Promise<AddressAnswer> {
  const { workspaceId, chainId } = question;
  await resolveRpcEndpoint({ workspaceId, chainId });
  return asItWas(question);
}

export async function agentByName(question: AddressQuestion): Promise<AddressAnswer> {
  const { workspaceId, chainId } = question;
  await resolveRpcEndpoint({ workspaceId, chainId });
  return asItAskedByName(question);
}

export async function rotateProvider(input: RotateProviderInput): Promise<RotationStatus> {
  await operation('activateNextCredential', STORE_OPTIONS, 'too early')(input);
  return asItRotated(input);
}
