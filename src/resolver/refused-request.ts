/** Whether a service refused the credential of one request. */
import type { ProviderError } from '../protocol/errors.js';
import type { ProviderReference } from '../protocol/references.js';
import { classify } from '../providers/answers/classify.js';
import type { MeaningOf } from '../providers/answers/meanings.js';
import { answerFromResponse, type ServiceAnswer, ServiceAnswerError } from '../providers/answers/service-answer.js';

export interface JudgedAnswer {
  readonly isRefused: boolean;
  /** Returns the answer, or throws the failure that it became. */
  result(): Response;
}

/** The statuses of refused credentials. The bodies of other answers are left to the caller. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403]);

export async function judged(send: () => Promise<Response>, meaningOf: MeaningOf): Promise<JudgedAnswer> {
  let response: Response;
  try {
    response = await send();
  } catch (error) {
    if (!(error instanceof ServiceAnswerError) || !isRefusal(error.answer(), meaningOf)) throw error;
    return { isRefused: true, result: () => raise(error) };
  }
  if (!REFUSALS.has(response.status)) return { isRefused: false, result: () => response };
  const text = await response.text();
  const { status, statusText, headers, url } = response;
  const same = Object.defineProperty(new Response(text, { status, statusText, headers }), 'url', { value: url });
  return { isRefused: isRefusal(answerFromResponse(response, text), meaningOf), result: () => same };
}

function isRefusal(answer: ServiceAnswer, meaningOf: MeaningOf): boolean {
  return classify(answer, meaningOf).type === 'CredentialRejected';
}

function raise(error: unknown): never {
  throw error;
}

/** The service refused what the callback used. */
export class Refusal {
  constructor(
    readonly failure: ProviderError,
    readonly refused: ProviderReference,
  ) {}
}
