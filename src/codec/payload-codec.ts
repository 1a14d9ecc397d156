/**
 * Encrypts what Temporal stores of workflows: each payload becomes a compact JWE (`alg: dir`, `enc: A256GCM`) under a
 * platform key. It is the layer of defense behind redaction, and hides business data too. Names are not encrypted:
 * workflow ids and types, task queues, search attributes, types of failures.
 */
import type { Payload, PayloadCodec } from '@temporalio/common';
import { ProviderError } from '../protocol/errors.js';
import { loadProto } from '../sdk/proto.js';
import { decrypt, encrypt, importKey, isHeader } from '../sealing/compact-jwe.js';
import { parseKeyList } from '../sealing/key-list.js';

const PAYLOAD_KEY_SETTING = 'PROVIDER_PAYLOAD_KEY';

const ENCODING = 'binary/jwe';

/**
 * @param keys - `id:base64,id:base64`, 256 bits each. The first one encrypts, all of them decrypt. To replace a key,
 *   add the new one behind it on every worker and client, then move the new one to the front. Remove the old one when
 *   no history that was encrypted with it is needed. A payload that was never encrypted is read as it is.
 * @throws ProviderError `SetupInvalid` if the keys are missing or do not fit
 */
export function createPayloadCodec(keys: string): PayloadCodec {
  const whenAbsent = 'is not set: without a key, payloads cannot be encrypted';
  const parsed = parseKeyList(keys, { name: PAYLOAD_KEY_SETTING, whenAbsent });
  const imported = new Map([...parsed].map(([kid, key]) => [kid, importKey(key).finally(() => key.fill(0))]));
  const activeKid = parsed.keys().next().value as string;

  async function encode(payload: Payload): Promise<Payload> {
    const { Payload } = proto();
    const key = await keyOf(activeKid);
    const jwe = await encrypt(headerOf(activeKid), Payload.encode(payload).finish(), key);
    return { metadata: { encoding: Buffer.from(ENCODING) }, data: Buffer.from(jwe) };
  }

  async function decode(payload: Payload): Promise<Payload> {
    if (Buffer.from(payload.metadata?.encoding ?? []).toString() !== ENCODING) return payload;
    const { Payload } = proto();
    try {
      const jwe = Buffer.from(payload.data ?? []).toString();
      const plaintext = await decrypt(jwe, async (header) => {
        const kid = [...imported.keys()].find((each) => isHeader(header, headerOf(each)));
        return keyOf(kid);
      });
      return Payload.decode(plaintext);
    } catch {
      throw unreadable();
    }
  }

  async function keyOf(kid = '') {
    const key = imported.get(kid);
    if (!key) throw new Error('no such key');
    return key;
  }

  return {
    encode: (payloads) => Promise.all(payloads.map(encode)),
    decode: (payloads) => Promise.all(payloads.map(decode)),
  };
}

/** Loaded with the first payload: it is large, and a process that only manages providers has no payloads. */
function proto() {
  return loadProto().temporal.api.common.v1;
}

function headerOf(kid: string) {
  return { alg: 'dir', enc: 'A256GCM', typ: 'temporal-payload+jwe', kid } as const;
}

function unreadable(): ProviderError {
  return new ProviderError(
    'SetupInvalid',
    `a payload cannot be decrypted: it was altered, or ${PAYLOAD_KEY_SETTING} lacks the key that encrypted it`,
    { fields: [PAYLOAD_KEY_SETTING] },
  );
}
