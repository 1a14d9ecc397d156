/**
 * Encrypts what Temporal stores of workflows: each payload becomes a compact JWE (`alg: dir`, `enc: A256GCM`). It is the
 * layer of defense behind redaction, and hides business data too. Names are not encrypted: workflow ids and types, task
 * queues, search attributes, types of failures.
 *
 * Each payload has its own key, which is derived from a key of the platform and a random salt in the header. So the
 * number of payloads under one key of the platform has no bound. The header also names the payload's workflow, if the
 * SDK names it. This relies on the SDK: encoding and decoding must name the same workflow. Format:
 * `docs/sealing-format.md`.
 */
import { randomBytes, type webcrypto } from 'node:crypto';
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import type { ProviderError } from '../protocol/errors.js';
import { loadProto } from '../sdk/proto.js';
import { type AesKey, decrypt, encrypt, type Header, isHeader } from '../sealing/compact-jwe.js';
import { parseKeyList } from '../sealing/key-list.js';
import { ACCEPTED_SETTING, type AcceptedPayloads } from './accepted-payloads.js';
import {
  isEncrypted,
  JWE_ENCODING,
  PAYLOAD_KEY_SETTING,
  payloadRefused,
  refuseEncrypted,
} from './encrypted-payload.js';

const TYP = 'temporal-payload+jwe';
const SALT_BYTES = 32;
/** base64url of as many bytes, as encoders write it. */
const SALT = /^[\w-]{42}[AEIMQUYcgkosw048]$/;

/** What a schedule adds to the id of each workflow that it starts. Its payloads are encoded without it. */
const SCHEDULED_TIME = /-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** The workflow that a payload belongs to, percent-encoded. A member is absent if the SDK does not name it. */
interface Place {
  readonly namespace?: string;
  readonly workflow_id?: string;
}

/** Options of `providerDataConverter`. */
export interface PayloadCodecOptions {
  /** What is accepted beside the payloads that these keys encrypted for the same workflow. Default: nothing. */
  readonly accept?: readonly AcceptedPayloads[];
}

/**
 * @param keys - `id:base64,id:base64`, 256 bits each. The first one encrypts, all of them decrypt. To replace a key,
 *   add the new one behind it on every worker and client, then move the new one to the front. Remove the old one when
 *   no history that was encrypted with it is needed
 * @throws ProviderError `SetupInvalid` if the keys are missing or do not fit
 */
export function createPayloadCodec(keys: string, { accept = [] }: PayloadCodecOptions = {}): PayloadCodec {
  const whenAbsent = 'is not set: without a key, payloads cannot be encrypted';
  const parsed = parseKeyList(keys, { name: PAYLOAD_KEY_SETTING, whenAbsent });
  const imported = new Map([...parsed].map(([kid, key]) => [kid, importKey(key).finally(() => key.fill(0))]));
  const activeKid = parsed.keys().next().value as string;

  async function encode(payload: Payload, place: Place): Promise<Payload> {
    const { Payload } = proto();
    const header = headerOf(activeKid, randomBytes(SALT_BYTES).toString('base64url'), place);
    const jwe = await encrypt(header, Payload.encode(payload).finish(), await keyOf(header));
    return { metadata: { encoding: Buffer.from(JWE_ENCODING) }, data: Buffer.from(jwe) };
  }

  async function decode(payload: Payload, place: Place): Promise<Payload> {
    if (!isEncrypted(payload)) {
      if (accept.includes('plaintext')) return payload;
      throw notEncrypted();
    }
    const { plaintext, header } = await open(payload);
    if (!accept.includes('other-workflows') && !fits(header, place)) throw ofAnotherWorkflow();
    return proto().Payload.decode(plaintext);
  }

  async function open(payload: Payload) {
    try {
      let header: Header | undefined;
      const plaintext = await decrypt(Buffer.from(payload.data ?? []).toString(), (read) => {
        header = parseHeader(read);
        return keyOf(header);
      });
      return { plaintext, header: header as Header };
    } catch {
      throw unreadable();
    }
  }

  async function keyOf({ kid, salt = '' }: Header): Promise<AesKey> {
    const key = await imported.get(kid);
    if (!key) throw new Error('no such key');
    return deriveKey(key, Buffer.from(salt, 'base64url'));
  }

  return {
    encode: (payloads, context) => Promise.all(payloads.map((payload) => encode(payload, placeOf(context)))),
    decode: (payloads, context) => Promise.all(payloads.map((payload) => decode(payload, placeOf(context)))),
  };
}

/** A codec for processes without a key: it says so, where the SDK would only report an unknown encoding. */
export const withoutKey: PayloadCodec = {
  encode: async (payloads) => payloads,
  decode: async (payloads) => refuseEncrypted(payloads),
};

/** Loaded with the first payload: it is large, and a process that only manages providers has no payloads. */
function proto() {
  return loadProto().temporal.api.common.v1;
}

function importKey(bytes: Uint8Array): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey('raw', Uint8Array.from(bytes), 'HKDF', false, ['deriveKey']);
}

function deriveKey(key: webcrypto.CryptoKey, salt: Uint8Array): Promise<AesKey> {
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: Uint8Array.from(salt), info: Buffer.from(TYP) };
  return crypto.subtle.deriveKey(hkdf, key, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

function headerOf(kid: string, salt: string, place: Place): Header {
  return { alg: 'dir', enc: 'A256GCM', typ: TYP, kid, salt, ...place };
}

/** @throws Error if the header is not one that this codec writes, for whichever workflow */
function parseHeader(read: object): Header {
  const { kid, salt, namespace, workflow_id } = read as Partial<Header>;
  const place = { ...(namespace !== undefined && { namespace }), ...(workflow_id !== undefined && { workflow_id }) };
  const header = headerOf(kid ?? '', salt ?? '', place);
  const isText = Object.values(header).every((value) => typeof value === 'string');
  if (!isText || !SALT.test(header.salt ?? '') || !isHeader(read, header)) throw new Error('not a header of a payload');
  return header;
}

function placeOf(context: SerializationContext | undefined): Place {
  const { namespace, workflowId } = context ?? {};
  return {
    ...(namespace && { namespace: asciiOf(namespace) }),
    ...(workflowId && { workflow_id: asciiOf(workflowId.replace(SCHEDULED_TIME, '')) }),
  };
}

/** Ids may have any characters. Written so, they are the same text in every JSON encoder. */
function asciiOf(id: string): string {
  return encodeURIComponent(Buffer.from(id).toString());
}

/** Compares what both sides know: the SDK names no workflow for, say, an activity that is completed by its token. */
function fits(header: Header, place: Place): boolean {
  return (['namespace', 'workflow_id'] as const).every(
    (name) => header[name] === undefined || place[name] === undefined || header[name] === place[name],
  );
}

function unreadable(): ProviderError {
  return payloadRefused(
    PAYLOAD_KEY_SETTING,
    'does not decrypt a payload: it lacks the key that encrypted it, or the payload was altered. Give every worker and ' +
      'client of the namespace the same keys',
  );
}

function ofAnotherWorkflow(): ProviderError {
  return payloadRefused(
    ACCEPTED_SETTING,
    'does not have other-workflows, and a payload was encrypted for another workflow or namespace: it was copied from ' +
      'there. A result of a Nexus operation and a replayed history are too: add other-workflows only for them',
  );
}

function notEncrypted(): ProviderError {
  return payloadRefused(
    ACCEPTED_SETTING,
    `does not have plaintext, and a payload is not encrypted: whoever sent it has no ${PAYLOAD_KEY_SETTING}. Give every ` +
      'worker and client of the namespace the same keys. While you introduce the key, or for histories from before it, ' +
      'add plaintext',
  );
}
