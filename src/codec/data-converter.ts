/** Encrypts payloads and failures on their way to Temporal, in the same way for workers and clients. */
import { extname, join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { createPayloadCodec } from './payload-codec.js';

/** `.ts` in the sources, which Node can load from version 22.18 on; `.js` when built. */
const FAILURE_CONVERTER_PATH = join(__dirname, `failure-converter${extname(__filename)}`);

/**
 * Returns the `dataConverter` for `Worker.create` and `new Client`. It encrypts payloads, including the messages and
 * stacks of failures. Every worker and every client of a namespace needs it, with the same keys. A workflow bundle that
 * is built in advance needs its `failureConverterPath` in `bundleWorkflowCode` too.
 *
 * @param payloadKey - the value of `PROVIDER_PAYLOAD_KEY`: `id:base64,id:base64`; the first key encrypts, all of them
 *   decrypt
 * @throws ProviderError `SetupInvalid` if the keys are missing or do not fit
 * @example
 * const dataConverter = providerDataConverter(process.env.PROVIDER_PAYLOAD_KEY ?? '');
 * const client = new Client({ connection, dataConverter });
 */
export function providerDataConverter(payloadKey: string): DataConverter {
  return { failureConverterPath: FAILURE_CONVERTER_PATH, payloadCodecs: [createPayloadCodec(payloadKey)] };
}
