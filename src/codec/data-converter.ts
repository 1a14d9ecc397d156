/** Encrypts payloads and failures on their way to Temporal, in the same way for workers and clients. */
import { extname, join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { createPayloadCodec, type PayloadCodecOptions, withoutKey } from './payload-codec.js';

/** `.ts` in the sources, which Node can load from version 22.18 on; `.js` when built. */
const FAILURE_CONVERTER_PATH = join(__dirname, `failure-converter${extname(__filename)}`);

/**
 * Returns the `dataConverter` for `Worker.create` and `new Client`. It encrypts payloads, including the messages and
 * stacks of failures. Every worker and every client of a namespace needs it, with the same keys. A workflow bundle that
 * is built in advance needs its `failureConverterPath` in `bundleWorkflowCode` too.
 *
 * It refuses payloads that are not encrypted, and payloads that were encrypted for another workflow or namespace. A
 * step or a workflow task that meets one fails and is retried, until it is decoded by a process that accepts it.
 *
 * @param payloadKey - the value of `PROVIDER_PAYLOAD_KEY`: `id:base64,id:base64`; the first key encrypts, all of them
 *   decrypt
 * @param options.accept - `plaintext`: also payloads that are not encrypted, while the key is introduced;
 *   `other-workflows`: also payloads of other workflows and namespaces, which results of Nexus operations and replayed
 *   histories are. Default: neither
 * @throws ProviderError `SetupInvalid` if the keys are missing or do not fit
 * @example
 * const dataConverter = providerDataConverter(process.env.PROVIDER_PAYLOAD_KEY ?? '');
 * const client = new Client({ connection, dataConverter });
 */
export function providerDataConverter(payloadKey: string, options: PayloadCodecOptions = {}): DataConverter {
  return { failureConverterPath: FAILURE_CONVERTER_PATH, payloadCodecs: [createPayloadCodec(payloadKey, options)] };
}

/** For a process without a key: it reports that, instead of an unknown encoding, if it meets an encrypted payload. */
export const WITHOUT_KEY: DataConverter = { payloadCodecs: [withoutKey] };
