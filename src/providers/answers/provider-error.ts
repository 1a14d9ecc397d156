/** Converts errors of client libraries, and answers of services, to the only error that crosses module boundaries. */

import { egressRuleOf } from '../../egress/refusal.js';
import { isProviderError, ProviderError } from '../../protocol/errors.js';
import { describeProvider } from '../../protocol/names.js';
import type { ProviderIdentity } from '../../protocol/references.js';
import type { Revert } from '../../protocol/simulations.js';
import { redact } from '../../redaction/opened-secrets.js';
import { classify } from './classify.js';
import type { MeaningOf } from './meanings.js';
import { answerOf, causesOf, type ServiceAnswer } from './service-answer.js';

/** What is known of the service of a provider. */
export interface AnsweringService {
  readonly meaningOf: MeaningOf;
  /** The field that holds its address: `config.baseURL`. */
  readonly destinationField: string;
}

/**
 * Converts an error of the AI SDK, of Anthropic's, OpenAI's or Google's SDK, of viem or of `fetch` to a
 * `ProviderError`, however deeply it is wrapped. A network error counts as an error of this provider.
 *
 * @returns `undefined` if the error did not come from a service: it is a bug, or the caller's own abort
 */
export function toProviderError(
  error: unknown,
  provider: ProviderIdentity,
  service: AnsweringService,
): ProviderError | undefined {
  // A vendor's client wraps what its `fetch` throws.
  const own = causesOf(error).find((link) => isProviderError(link));
  if (own) return named(own as unknown as ProviderError, provider);
  const answer = answerOf(error);
  return answer && fromAnswer(answer, provider, service);
}

/** Adds the provider to an error about input or config: the code that threw it did not know whose provider it was. */
function named(error: ProviderError, provider: ProviderIdentity): ProviderError {
  if (!error.facts.fields || error.facts.provider) return error;
  const facts = { ...error.facts, provider: identityOf(provider) };
  return new ProviderError(error.type, `${describeProvider(provider)}: ${error.message}`, facts);
}

function fromAnswer(
  answer: ServiceAnswer,
  provider: ProviderIdentity,
  { meaningOf, destinationField }: AnsweringService,
): ProviderError {
  const { type, text, retryAfterMs, isOfEndpoint, revert } = classify(answer, meaningOf);
  const field = egressRuleOf(answer.networkCode) && destinationField;
  const facts = {
    provider: identityOf(provider),
    retryAfterMs,
    ...(isOfEndpoint && { isOfEndpoint }),
    ...(revert && { revert: withoutSecrets(revert) }),
    ...(field && { fields: [field] }),
  };
  const subject = field ? `${describeProvider(provider)}: ${field}` : describeProvider(provider);
  return new ProviderError(type, `${subject} ${text}${numbersOf(answer)}`, facts);
}

/** A contract, or a host that calls itself one, may have the key in what it says. */
function withoutSecrets({ reason, data }: Revert): Revert {
  return { ...(reason !== undefined && { reason: redact(reason) }), ...(data !== undefined && { data: redact(data) }) };
}

/** Only the identity: callers often pass a whole reference. */
function identityOf({ workspaceId, type, name }: ProviderIdentity): ProviderIdentity {
  return { workspaceId, type, name };
}

function numbersOf({ status, rpcCode, networkCode }: ServiceAnswer): string {
  const numbers = [status && `HTTP ${status}`, rpcCode && `JSON-RPC ${rpcCode}`, networkCode].filter(Boolean);
  return numbers.length > 0 ? ` (${numbers.join(', ')})` : '';
}
