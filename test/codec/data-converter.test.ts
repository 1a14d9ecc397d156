/** Encrypted payloads and failures: what Temporal stores, and what can be decrypted again. */
import { createHash, randomBytes } from 'node:crypto';
import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { failureConverter } from '../../src/codec/failure-converter.js';
import { createPayloadCodec } from '../../src/codec/payload-codec.js';

const CANARY = 'canary-in-a-payload';
const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [first, second] = [key('first'), key('second')];

const payloads = [{ prompt: CANARY }, CANARY, undefined, new Uint8Array([1, 2, 3]), 'x'.repeat(2_000_000)].map(
  (value) => defaultPayloadConverter.toPayload(value) as Payload,
);

const plain = (list: Payload[]) =>
  list.map(({ metadata, data }) => [
    Buffer.from(metadata?.encoding ?? []).toString(),
    createHash('sha256')
      .update(Buffer.from(data ?? []))
      .digest('hex'),
  ]);

describe('the payload codec', () => {
  it('encrypts a payload differently each time, and decrypts what it encrypted [G9]', async () => {
    const codec = createPayloadCodec(first);
    const [encoded, again] = [await codec.encode(payloads), await codec.encode(payloads)];
    for (const payload of encoded) expect(plain([payload])[0]?.[0]).toBe('binary/jwe');
    expect(Buffer.concat(encoded.map(({ data }) => data as Uint8Array)).includes(CANARY)).toBe(false);
    expect(encoded[0]?.data).not.toEqual(again[0]?.data);
    expect(plain(await codec.decode(encoded))).toEqual(plain(payloads));
  });

  it('decrypts with any of its keys, so that keys can be replaced, and reads plaintext payloads [G9]', async () => {
    const old = await createPayloadCodec(first).encode(payloads);
    const both = createPayloadCodec(`${second},${first}`);
    expect(plain(await both.decode(old))).toEqual(plain(payloads));
    const renewed = await both.encode(payloads);
    expect(plain(await createPayloadCodec(second).decode(renewed))).toEqual(plain(payloads));
    expect(plain(await both.decode(payloads))).toEqual(plain(payloads));
  });

  it('reports an unknown key and an altered payload as the same error, and reveals no content [G9]', async () => {
    const refused = { type: 'SetupInvalid', facts: { fields: ['PROVIDER_PAYLOAD_KEY'] } };
    const [encoded] = await createPayloadCodec(first).encode(payloads);
    await expect(createPayloadCodec(second).decode([encoded as Payload])).rejects.toMatchObject(refused);
    const altered = Buffer.from(encoded?.data ?? []);
    altered.writeUInt8(altered.readUInt8(altered.length - 30) ^ 1, altered.length - 30);
    await expect(createPayloadCodec(first).decode([{ ...encoded, data: altered }])).rejects.toMatchObject(refused);
  });

  it('refuses invalid keys and names the setting', () => {
    for (const keys of ['', 'id', 'id:short', `${first},${first}`]) {
      expect(() => createPayloadCodec(keys)).toThrow(/^PROVIDER_PAYLOAD_KEY /);
    }
  });
});

describe('the failure converter', () => {
  it('moves the message and the stack to where the codec encrypts them, and keeps the type', () => {
    const error = ApplicationFailure.create({ message: CANARY, type: 'CredentialRejected', cause: new Error(CANARY) });
    const failure = failureConverter.errorToFailure(error, defaultPayloadConverter);
    expect([failure.message, failure.cause?.message]).toEqual(['Encoded failure', 'Encoded failure']);
    expect(failure.stackTrace).toBe('');
    expect(failure.applicationFailureInfo?.type).toBe('CredentialRejected');
    expect(failureConverter.failureToError(failure, defaultPayloadConverter).message).toBe(CANARY);
  });
});
