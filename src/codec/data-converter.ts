/** How payloads and failures are encrypted on their way to Temporal: the same for workers and clients. */
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { createPayloadCodec } from './payload-codec.js';

/** `.ts` in the sources, which Node requires from version 22.18 on; `.js` when built. */
export const FAILURE_CONVERTER_PATH = fileURLToPath(
  new URL(`failure-converter${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/**
 * The `dataConverter` of `Worker.create` and of `new Client`: payloads encrypted, messages and stacks of failures among
 * them. Every worker and every client of a namespace needs it, with the same keys. A workflow bundle that is made ahead
 * needs its `failureConverterPath` in `bundleWorkflowCode` too.
 *
 * @param payloadKey - as the setting `PROVIDER_PAYLOAD_KEY` has it: `id:base64,id:base64`, the first one encrypts
 * @throws ProviderError `SetupInvalid`
 * @example
 * const dataConverter = providerDataConverter(process.env.PROVIDER_PAYLOAD_KEY ?? '');
 * const client = new Client({ connection, dataConverter });
 */
export function providerDataConverter(payloadKey: string): DataConverter {
  return { failureConverterPath: FAILURE_CONVERTER_PATH, payloadCodecs: [createPayloadCodec(payloadKey)] };
}
