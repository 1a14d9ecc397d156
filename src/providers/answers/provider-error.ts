/** From what a client library threw, or a service answered, to the one error that crosses module edges. */

import { egressRuleOf } from '../../egress/refusal.js';
import { isProviderError, ProviderError } from '../../protocol/errors.js';
import { describeProvider } from '../../protocol/names.js';
import type { ProviderIdentity } from '../../protocol/references.js';
import { providerType } from '../registry.js';
import { classify } from './classify.js';
import { answerFromResponse, answerOf, type ServiceAnswer } from './service-answer.js';

/**
 * What the service meant, for whatever was thrown by the AI SDK, Anthropic's, OpenAI's or Google's SDK, viem, or
 * `fetch`, however deep it is wrapped. A network error counts as this provider's.
 *
 * @returns `undefined` where it is no answer of a service: a bug, or the caller's own abort
 */
export function toProviderError(error: unknown, provider: ProviderIdentity): ProviderError | undefined {
  if (isProviderError(error)) return named(error, provider);
  const answer = answerOf(error);
  return answer && fromAnswer(answer, provider);
}

/** The same for users of plain `fetch`. Call it where `response.ok` is false. */
export function toProviderErrorFromResponse(
  response: Response,
  bodyText: string,
  provider: ProviderIdentity,
): ProviderError {
  return fromAnswer(answerFromResponse(response, bodyText), provider);
}

/** A call of this folder that found the caller's input or config unfit did not know whose provider it worked for. */
function named(error: ProviderError, provider: ProviderIdentity): ProviderError {
  if (!error.facts.fields || error.facts.provider) return error;
  const facts = { ...error.facts, provider: identityOf(provider) };
  return new ProviderError(error.type, `${describeProvider(provider)}: ${error.message}`, facts);
}

function fromAnswer(answer: ServiceAnswer, provider: ProviderIdentity): ProviderError {
  const { type, text, retryAfterMs } = classify(answer, provider);
  const field = egressRuleOf(answer.networkCode) && providerType(provider.type).destinationField;
  const facts = { provider: identityOf(provider), retryAfterMs, ...(field && { fields: [field] }) };
  const subject = field ? `${describeProvider(provider)}: ${field}` : describeProvider(provider);
  return new ProviderError(type, `${subject} ${text}${numbersOf(answer)}`, facts);
}

/** Of what is often a whole reference, the identity alone. */
function identityOf({ workspaceId, type, name }: ProviderIdentity): ProviderIdentity {
  return { workspaceId, type, name };
}

function numbersOf({ status, rpcCode, networkCode }: ServiceAnswer): string {
  const numbers = [status && `HTTP ${status}`, rpcCode && `JSON-RPC ${rpcCode}`, networkCode].filter(Boolean);
  return numbers.length > 0 ? ` (${numbers.join(', ')})` : '';
}
