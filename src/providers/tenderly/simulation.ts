/** Calls Tenderly's simulation API. The answer is large: only what an agent bases a decision on is kept. */
import { z } from 'zod';
import { onceMore } from '../../egress/dropped-connection.js';
import type { SimulatedTransaction } from '../../protocol/steps.js';
import { parseJson } from '../../redaction/parse-json.js';
import { errorIn } from '../answers/error-body.js';
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
const INPUT_RULE = 'must be bytes in hex: 0x and an even number of digits, at most 524288';

/** The longest call data that a transaction of a public chain carries, with room. */
const MAX_INPUT_CHARACTERS = 512 * 1024;

export const simulationRequest = z.strictObject({
  networkId: word('must be a decimal chain id', /^[1-9]\d{0,15}$/),
  transaction: z.strictObject({
    from: address,
    to: address,
    input: z
      .string({ error: INPUT_RULE })
      .max(MAX_INPUT_CHARACTERS, { error: INPUT_RULE })
      .regex(/^0x[0-9a-fA-F]*$/, { error: INPUT_RULE })
      .refine((hex) => hex.length % 2 === 0, { error: INPUT_RULE })
      .optional(),
    value: word(
      'must be an amount in wei, as a decimal number or as 0x and hex digits',
      /^(0x[0-9a-fA-F]{1,64}|\d{1,78})$/,
    ).optional(),
    gas: z.int({ error: GAS_RULE }).min(0, { error: GAS_RULE }).optional(),
  }),
  save: z.boolean({ error: 'must be true or false' }).optional(),
});

const answerSchema = z.object({
  transaction: z.object({ status: z.boolean(), gas_used: z.number(), error_message: z.string().nullish() }),
  simulation: z.object({ id: z.string().nullish() }).nullish(),
});

/**
 * Simulates a transaction on the newest state of the chain.
 *
 * @param request - as `simulationRequest` accepts it
 * @throws errors that `toProviderError` classifies
 */
export async function simulate(
  credential: TenderlyCredential,
  request: SimulationRequest,
  { fetch, signal }: CheckContext,
): Promise<Simulation> {
  const { account, project, baseURL, accessKey } = credential;
  const { networkId, transaction, save = false } = request;
  const { input = '0x', value = '0' } = transaction;
  const send = save ? fetch : onceMore(fetch); // One that is kept would be kept twice.
  const response = await send(`${baseURL}/api/v1/account/${account}/project/${project}/simulate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-access-key': accessKey.reveal() },
    body: JSON.stringify({
      network_id: networkId,
      ...transaction,
      input,
      // Tenderly documents decimal quantities.
      value: BigInt(value).toString(),
      save,
      save_if_fails: save,
      simulation_type: 'quick',
    }),
    signal,
  });
  const text = await response.text();
  const body = parseJson(text);
  const answer = response.ok && errorIn(body) === undefined ? answerSchema.safeParse(body) : undefined;
  if (!answer?.success) throw new ServiceAnswerError(answerFromResponse(response, text));
  const { transaction: outcome, simulation } = answer.data;
  return {
    success: outcome.status,
    gasUsed: outcome.gas_used,
    errorMessage: outcome.error_message ?? undefined,
    simulationId: save ? (simulation?.id ?? undefined) : undefined,
  };
}
