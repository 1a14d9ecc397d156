/** Calls Tenderly's simulation API. The answer is large: only what an agent bases a decision on is kept. */
import { z } from 'zod';
import { ProviderError } from '../../protocol/errors.js';
import type { SimulatedTransaction } from '../../protocol/steps.js';
import { parseJson } from '../../redaction/parse-json.js';
import { answerFromResponse, ServiceAnswerError } from '../answers/service-answer.js';
import { word } from '../fields.js';
import type { CheckContext } from '../type.js';
import type { TenderlyCredential } from './tenderly.js';

export interface SimulationRequest {
  /** A decimal chain id. */
  readonly networkId: string;
  readonly transaction: SimulatedTransaction;
  /** Whether Tenderly keeps the simulation in the project's dashboard. Default: false. */
  readonly save?: boolean;
}

export interface Simulation {
  readonly success: boolean;
  readonly gasUsed: number;
  readonly errorMessage?: string;
  /** Present if the simulation was saved. */
  readonly simulationId?: string;
}

const address = word('must be an address: 0x and 40 hex digits', /^0x[0-9a-fA-F]{40}$/);
const GAS_RULE = 'must be a whole number';

const requestSchema = z.object({
  networkId: word('must be a decimal chain id', /^[1-9]\d{0,15}$/),
  transaction: z.object({
    from: address,
    to: address,
    input: word('must be bytes in hex: 0x and an even number of digits', /^0x([0-9a-fA-F]{2})*$/).default('0x'),
    // Tenderly documents decimal quantities.
    value: word(
      'must be an amount in wei, as a decimal number or as 0x and hex digits',
      /^(0x[0-9a-fA-F]{1,64}|\d{1,78})$/,
    )
      .default('0')
      .transform((wei) => BigInt(wei).toString()),
    gas: z.int({ error: GAS_RULE }).min(0, { error: GAS_RULE }).optional(),
  }),
  save: z.boolean().default(false),
});

const answerSchema = z.object({
  transaction: z.object({ status: z.boolean(), gas_used: z.number(), error_message: z.string().nullish() }),
  simulation: z.object({ id: z.string().nullish() }).nullish(),
});

/**
 * Simulates a transaction on the newest state of the chain.
 *
 * @throws ProviderError `ProviderRequestInvalid`, naming the fields, if the transaction is not valid; otherwise errors
 *   that `toProviderError` classifies
 */
export async function simulate(
  credential: TenderlyCredential,
  request: SimulationRequest,
  { fetch, signal }: CheckContext,
): Promise<Simulation> {
  const { account, project, baseURL, accessKey } = credential;
  const { networkId, transaction, save } = parseRequest(request);
  const response = await fetch(`${baseURL}/api/v1/account/${account}/project/${project}/simulate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-access-key': accessKey.reveal() },
    body: JSON.stringify({
      network_id: networkId,
      ...transaction,
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

function parseRequest(request: SimulationRequest) {
  const parsed = requestSchema.safeParse(request);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path }) => path.join('.'));
  const rules = parsed.error.issues.map(({ message }, index) => `${fields[index]} ${message}`);
  throw new ProviderError('ProviderRequestInvalid', rules.join('; '), { fields });
}
