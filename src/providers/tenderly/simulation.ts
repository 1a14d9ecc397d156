/** Calls Tenderly's simulation API. The answer is large: only what an agent bases a decision on is kept. */
import { z } from 'zod';
import { onceMore } from '../../egress/dropped-connection.js';
import type { Revert, Simulation } from '../../protocol/simulations.js';
import { parseJson } from '../../redaction/parse-json.js';
import { errorIn } from '../answers/error-body.js';
import { revertIn } from '../answers/revert.js';
import { answerFromResponse, ServiceAnswerError } from '../answers/service-answer.js';
import type { CheckContext } from '../type.js';
import { type SimulationRequest, simulationBody } from './simulation-request.js';
import type { TenderlyCredential } from './tenderly.js';

/** What Tenderly adds to the bare facts may be absent or of another form: then it counts as unknown. */
const text = z.string().nullish().catch(undefined);
const amount = z.union([z.string(), z.number()]).transform(String).nullish().catch(undefined);

const log = z.object({
  name: text,
  inputs: z
    .array(z.object({ soltype: z.object({ name: z.string(), type: z.string() }), value: z.unknown() }))
    .nullish()
    .catch(undefined),
  raw: z.object({ address: z.string(), topics: z.array(z.string()).nullish(), data: z.string().nullish() }),
});
const assetChange = z.object({
  type: z.string(),
  ...{ from: text, to: text, amount, raw_amount: amount, token_id: amount, dollar_value: amount },
  token_info: z
    .object({ standard: text, contract_address: text, symbol: text, decimals: z.number().nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
});
const result = z.object({
  transaction: z.object({
    status: z.boolean(),
    gas_used: z.number(),
    block_number: z.number().nullish().catch(undefined),
    error_message: text,
    error_info: z.object({ error_message: text }).nullish().catch(undefined),
    transaction_info: z
      .object({
        contract_address: text,
        call_trace: z.object({ output: text, error_reason: text }).nullish().catch(undefined),
        logs: z.array(log).nullish(),
        asset_changes: z.array(assetChange).nullish(),
      })
      .nullish(),
  }),
  simulation: z.object({ id: text }).nullish(),
});
type Result = z.infer<typeof result>;

const single = result.transform((each) => [each]);
const bundle = z.object({ simulation_results: z.array(result).min(1) }).transform((body) => body.simulation_results);

/**
 * Simulates a transaction, or the transactions of a bundle: Tenderly executes those up to the first that fails.
 *
 * @param request - as `simulationFields` accepts it
 * @returns one result per transaction that was executed
 * @throws errors that `toProviderError` classifies
 */
export async function simulate(
  credential: TenderlyCredential,
  request: SimulationRequest,
  { fetch, signal }: CheckContext,
): Promise<Simulation[]> {
  const { account, project, baseURL } = credential;
  const { save = false } = request;
  const isBundle = 'transactions' in request && request.transactions !== undefined;
  const asked = isBundle ? request.transactions : 'transaction' in request ? [request.transaction] : [];
  const bodies = asked.map((each) => simulationBody(request, each));
  const send = save ? fetch : onceMore(fetch); // One that is kept would be kept twice.
  const path = isBundle ? 'simulate-bundle' : 'simulate';
  const response = await send(`${baseURL}/api/v1/account/${account}/project/${project}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(isBundle ? { simulations: bodies } : bodies[0]),
    signal,
  });
  const answered = await response.text();
  const body = parseJson(answered);
  const schema = isBundle ? bundle : single;
  const parsed = response.ok && errorIn(body) === undefined ? schema.safeParse(body) : undefined;
  const results = parsed?.data ?? [];
  // Fewer results than transactions are an answer only if the last one is a failure.
  const isWhole = results.length === asked.length || results.at(-1)?.transaction.status === false;
  if (results.length === 0 || !isWhole) throw new ServiceAnswerError(answerFromResponse(response, answered));
  return results.map((each, index) => simulationOf(each, asked[index]?.to === undefined, save));
}

function simulationOf({ transaction, simulation }: Result, isCreation: boolean, isSaved: boolean): Simulation {
  const {
    status,
    gas_used: gasUsed,
    block_number: blockNumber,
    error_info: info,
    transaction_info: more,
  } = transaction;
  const errorMessage = transaction.error_message ?? info?.error_message ?? undefined;
  return {
    success: status,
    gasUsed,
    blockNumber: blockNumber ?? undefined,
    errorMessage,
    revert: status ? undefined : revertOf(more?.call_trace ?? undefined, errorMessage),
    logs: (more?.logs ?? []).map(logOf),
    assetChanges: (more?.asset_changes ?? []).map(changeOf),
    contractAddress: isCreation && status ? (more?.contract_address ?? undefined) : undefined,
    simulationId: isSaved ? (simulation?.id ?? undefined) : undefined,
  };
}

type Trace = NonNullable<NonNullable<Result['transaction']['transaction_info']>['call_trace']>;

/** Tenderly decodes errors of contracts that it knows; it has the data of each. */
function revertOf({ output, error_reason: known }: Trace = {}, message = ''): Revert | undefined {
  const revert = revertIn({ data: output ?? '', message });
  if (!known || revert?.reason) return revert;
  return { ...revert, reason: known.slice(0, 500) };
}

function logOf({ name, inputs, raw }: z.infer<typeof log>) {
  return {
    address: raw.address,
    topics: raw.topics ?? [],
    data: raw.data ?? '0x',
    ...(name && { name }),
    ...(inputs && {
      inputs: inputs.map(({ soltype, value }) => ({
        ...{ name: soltype.name, type: soltype.type },
        value: typeof value === 'string' ? value : (JSON.stringify(value) ?? ''),
      })),
    }),
  };
}

function changeOf({ token_info: token, ...change }: z.infer<typeof assetChange>) {
  return {
    type: change.type,
    from: change.from ?? undefined,
    to: change.to ?? undefined,
    amount: change.amount ?? undefined,
    rawAmount: change.raw_amount ?? undefined,
    tokenId: change.token_id ?? undefined,
    dollarValue: change.dollar_value ?? undefined,
    token: {
      standard: token?.standard ?? undefined,
      address: token?.contract_address ?? undefined,
      symbol: token?.symbol ?? undefined,
      decimals: token?.decimals ?? undefined,
    },
  };
}
