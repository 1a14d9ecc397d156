/** From what a client library threw, or a service answered, to the one error that crosses module edges. */
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { describeProvider, type ProviderIdentity } from '../protocol/names.js';
import { classify } from './classify.js';
import { answerFromResponse, answerOf, type ServiceAnswer } from './service-answer.js';

/**
 * What the service meant, for whatever was thrown by the AI SDK, Anthropic's, OpenAI's or Google's SDK, viem, or
 * `fetch`, however deep it is wrapped. A network error counts as this provider's.
 *
 * @returns `undefined` where it is no answer of a service: a bug, or the caller's own abort
 */
export function toProviderError(error: unknown, provider: ProviderIdentity): ProviderError | undefined {
  if (isProviderError(error)) return error;
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

function fromAnswer(answer: ServiceAnswer, provider: ProviderIdentity): ProviderError {
  const { type, text, retryAfterMs } = classify(answer, provider);
  const { workspaceId, type: providerType, name } = provider;
  const facts = { provider: { workspaceId, type: providerType, name }, retryAfterMs };
  return new ProviderError(type, `${describeProvider(provider)} ${text}${numbersOf(answer)}`, facts);
}

function numbersOf({ status, rpcCode, networkCode }: ServiceAnswer): string {
  const numbers = [status && `HTTP ${status}`, rpcCode && `JSON-RPC ${rpcCode}`, networkCode].filter(Boolean);
  return numbers.length > 0 ? ` (${numbers.join(', ')})` : '';
}
