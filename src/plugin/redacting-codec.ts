/**
 * Removes secrets from what activities return, send in heartbeats and throw, after it was serialised: in the form in
 * which it leaves the process. An object may show one thing to a search and another to a payload converter. It must be
 * the first codec, because later ones encrypt or compress. When payloads are decoded it is the last, and sees whether one
 * is still encrypted.
 */
import { asyncLocalStorage } from '@temporalio/activity';
import {
  ApplicationFailure,
  type DataConverter,
  METADATA_ENCODING_KEY,
  type Payload,
  type PayloadCodec,
} from '@temporalio/common';
import { toFailure } from '../activities/run-activity.js';
import { refuseEncrypted } from '../codec/encrypted-payload.js';
import { isProviderError } from '../protocol/errors.js';
import { redactBytes } from '../redaction/redact-bytes.js';
import { REDACTED } from '../redaction/redactor.js';
import { redactOf } from './activity-workspaces.js';
import { limitingDataConverter } from './result-limit.js';

/** The data converter of a worker, with the codec before its own ones. */
export function redactingDataConverter({ payloadCodecs = [], ...converters }: DataConverter = {}): DataConverter {
  return limitingDataConverter({
    ...converters,
    payloadCodecs: [new RedactingCodec(), ...payloadCodecs].map(withFailures),
  });
}

class RedactingCodec implements PayloadCodec {
  async encode(payloads: Payload[]): Promise<Payload[]> {
    const context = asyncLocalStorage.getStore();
    // Payloads of workflows are encoded outside of activities.
    return context ? payloads.map((payload) => redactPayload(payload, (text) => redactOf(context, text))) : payloads;
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return refuseEncrypted(payloads);
  }
}

/** The codec, with failures that have the types of this package: the SDK would name the class of an error. */
function withFailures(codec: PayloadCodec): PayloadCodec {
  const toFailures = (error: unknown) => {
    throw isProviderError(error) ? toFailure(error, 1) : error;
  };
  return {
    encode: (...call) => codec.encode(...call),
    decode: (...call) => codec.decode(...call).catch(toFailures),
  };
}

/** @throws ApplicationFailure `UnexpectedError` if the payload has a form that cannot be changed */
function redactPayload(payload: Payload, redact: (text: string) => string): Payload {
  const { data, metadata } = payload;
  const described = Object.values(metadata ?? {});
  if (described.some((value) => redactBytes(value, redact) !== value)) throw unredactable();
  if (!data) return payload;
  const redacted = redactBytes(data, redact);
  if (redacted === data) return payload;
  const encoding = Buffer.from(metadata?.[METADATA_ENCODING_KEY] ?? []).toString();
  if (encoding.startsWith('json/')) return { ...payload, data: Buffer.from(redactJson(data, redact)) };
  if (encoding === 'binary/plain') return { ...payload, data: redacted };
  throw unredactable();
}

function redactJson(data: Uint8Array, redact: (text: string) => string): string {
  const redacted = redact(Buffer.from(data).toString());
  try {
    JSON.parse(redacted);
    return redacted;
  } catch {
    // The secret was a number, or the name of a literal.
    return JSON.stringify(REDACTED);
  }
}

function unredactable(): ApplicationFailure {
  const message = 'what this activity returns holds a secret, in an encoding from which it cannot be removed';
  return ApplicationFailure.nonRetryable(message, 'UnexpectedError');
}
