/** One call of Tenderly's simulation API. Of its answer, which is large, only what an agent decides by is kept. */
import { z } from 'zod';
import type { SimulatedTransaction } from '../protocol/steps.js';
import { answerFromResponse, parseJson, ServiceAnswerError } from './service-answer.js';
import type { TenderlyCredential } from './tenderly.js';
import type { CheckContext } from './type.js';

export interface SimulationRequest {
  /** A decimal chain id. */
  readonly networkId: string;
  readonly transaction: SimulatedTransaction;
  readonly save?: boolean;
}

export interface Simulation {
  readonly success: boolean;
  readonly gasUsed: number;
  readonly errorMessage?: string;
  /** Present where the simulation was saved. */
  readonly simulationId?: string;
}

const answerSchema = z.object({
  transaction: z.object({ status: z.boolean(), gas_used: z.number(), error_message: z.string().nullish() }),
  simulation: z.object({ id: z.string().nullish() }).nullish(),
});

/** @throws what `toProviderError` classifies, where the service refuses, fails, or answers something else */
export async function simulate(
  credential: TenderlyCredential,
  { networkId, transaction, save = false }: SimulationRequest,
  { fetch, signal }: CheckContext,
): Promise<Simulation> {
  const { account, project, baseURL, accessKey } = credential;
  const response = await fetch(`${baseURL}/api/v1/account/${account}/project/${project}/simulate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-access-key': accessKey.reveal() },
    body: JSON.stringify({
      network_id: networkId,
      from: transaction.from,
      to: transaction.to,
      input: transaction.input ?? '0x',
      value: transaction.value ?? '0',
      gas: transaction.gas,
      save,
      save_if_fails: save,
      simulation_type: 'quick',
    }),
    signal,
  });
  const text = await response.text();
  const answer = response.ok ? answerSchema.safeParse(parseJson(text)) : undefined;
  if (!answer?.success) throw new ServiceAnswerError(answerFromResponse(response, text));
  const { transaction: outcome, simulation } = answer.data;
  return {
    success: outcome.status,
    gasUsed: outcome.gas_used,
    errorMessage: outcome.error_message ?? undefined,
    simulationId: save ? (simulation?.id ?? undefined) : undefined,
  };
}
