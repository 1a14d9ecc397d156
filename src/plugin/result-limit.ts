/**
 * Ends an activity at once whose result a workflow history cannot hold. The SDK would fail the attempt and Temporal would
 * repeat it, and each attempt calls a service again. The result is measured as it leaves the process, after the codecs:
 * encryption makes it a third longer. Results that the worker keeps in external storage have no such limit.
 */
import { asyncLocalStorage, type Context } from '@temporalio/activity';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { toFailure } from '../activities/run-activity.js';
import { ProviderError } from '../protocol/errors.js';
import { checkExternalStorage } from '../sdk/external-storage.js';

/** Temporal's own limit for a payload. A self-hosted server can have another. */
const MAX_PAYLOAD_BYTES = 2 * 1024 * 1024;
/** For the envelope of the payload. */
const ENVELOPE_BYTES = 1024;

/** What is known of Temporal's external storage, which SDKs before 1.21 do not have. */
interface ExternalStorage {
  readonly payloadSizeThreshold: number;
  driverSelector(context: object, payload: Payload): unknown;
}

/** Activities that have returned and whose result is not yet encoded: a failure is not measured. */
const returned = new WeakSet<Context>();

/** An interceptor for `interceptors.activity`. It must be the first of this package's. */
export const notesReturn: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      const result: unknown = await next(input);
      returned.add(context);
      return result;
    },
  },
});

/**
 * The data converter of a worker, with a codec behind its own ones.
 *
 * @throws ProviderError `SetupInvalid` if external storage cannot work in this installation
 */
export function limitingDataConverter({ payloadCodecs = [], ...converters }: DataConverter): DataConverter {
  const { externalStorage } = converters as { readonly externalStorage?: ExternalStorage };
  if (externalStorage) checkExternalStorage();
  return { ...converters, payloadCodecs: [...payloadCodecs, new LimitingCodec(externalStorage)] };
}

class LimitingCodec implements PayloadCodec {
  constructor(private readonly storage: ExternalStorage | undefined) {}

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const context = asyncLocalStorage.getStore();
    if (!context || !returned.delete(context)) return payloads;
    const tooLarge = payloads.find((payload) => !this.#isHeld(payload, context));
    if (tooLarge) throw toFailure(resultTooLarge(context.info.activityType, sizeOf(tooLarge)), context.info.attempt);
    return payloads;
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads;
  }

  #isHeld(payload: Payload, { info }: Context): boolean {
    const bytes = sizeOf(payload);
    if (bytes <= MAX_PAYLOAD_BYTES - ENVELOPE_BYTES) return true;
    if (!this.storage || bytes < this.storage.payloadSizeThreshold) return false;
    const { workflowId: id, runId } = info.workflowExecution ?? {};
    const target = { kind: 'workflow', namespace: info.namespace, id, runId, type: info.workflowType };
    return this.storage.driverSelector({ target }, payload) !== null;
  }
}

function sizeOf({ data, metadata }: Payload): number {
  const named = Object.entries(metadata ?? {}).reduce((bytes, [name, value]) => bytes + name.length + value.length, 0);
  return named + (data?.length ?? 0);
}

function resultTooLarge(activity: string, bytes: number): ProviderError {
  const mebibytes = (bytes / 1024 / 1024).toFixed(1);
  const message =
    `the result of ${activity} has ${mebibytes} MiB as it is stored, but a workflow history takes at most 2 MiB: ask ` +
    "for less, or give the worker Temporal's external storage";
  return new ProviderError('ResultTooLarge', message);
}
