/** Payloads that were encrypted elsewhere, or long ago: the test vectors, and the documented Python. */
import { randomBytes } from 'node:crypto';
import type { Payload, SerializationContext } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { beforeAll, describe, expect, test } from 'vitest';
import { createPayloadCodec } from '../../src/codec/payload-codec.js';
import {
  type EncryptedPayload,
  type PayloadPlace,
  type PythonService,
  startPythonService,
} from '../sealing/python-service.js';
import { kept } from '../sealing/vectors.js';

const SETUP_TIMEOUT_MS = 180_000;
const { Payload: Message } = temporal.api.common.v1;

const { encryptionKey, payloads } = await kept();
const codec = createPayloadCodec(encryptionKey);

function contextOf({ namespace, workflow_id: workflowId }: PayloadPlace): SerializationContext | undefined {
  return namespace === undefined || workflowId === undefined ? undefined : { type: 'workflow', namespace, workflowId };
}

/** The payload, as protobuf in hex. */
async function opened({ place, data }: EncryptedPayload): Promise<string> {
  const payload = { metadata: { encoding: Buffer.from('binary/jwe') }, data: Buffer.from(data) };
  const [decoded] = await codec.decode([payload], contextOf(place));
  return Buffer.from(Message.encode(decoded as Payload).finish()).toString('hex');
}

describe('a payload of the test vectors', () => {
  test.each(payloads.opens)('still opens: $why', async (vector) => {
    expect(await opened(vector)).toBe(vector.payload);
  });

  test.each(payloads.refused)('is still refused: $why [G9]', async (vector) => {
    await expect(opened(vector)).rejects.toMatchObject({ type: 'SetupInvalid' });
  });
});

describe('the documented Python', () => {
  let service: PythonService | string;
  beforeAll(async () => {
    service = await startPythonService();
  }, SETUP_TIMEOUT_MS);

  test('opens the test vectors that must open, and refuses those that must not [G9]', async ({ skip }) => {
    if (typeof service === 'string') return skip(service);
    const encrypted = [...payloads.opens, ...payloads.refused];
    const { decrypted } = await service.exchange({ encryptionKey, encrypted });
    expect(decrypted).toEqual([...payloads.opens.map(({ payload }) => payload), ...payloads.refused.map(() => null)]);
  });

  test('encrypts payloads that open here, and opens payloads that were encrypted here', async ({ skip }) => {
    if (typeof service === 'string') return skip(service);
    const places = [{}, { namespace: 'agents', workflow_id: 'ws/"ключ"\\\u0001\u2028-2026-03-01T12:00:00Z' }];
    const message = Message.encode({ data: randomBytes(500_000) }).finish();
    const payload = Buffer.from(message).toString('hex');
    const here = await Promise.all(
      places.map(async (place) => {
        const [encoded] = await codec.encode([Message.decode(message)], contextOf(place));
        return { place, data: Buffer.from(encoded?.data ?? []).toString() };
      }),
    );
    const asked = { encryptionKey, encrypted: here, payloads: places.map((place) => ({ place, payload })) };
    const { decrypted, encrypted } = await service.exchange(asked);
    expect(decrypted).toEqual([payload, payload]);
    for (const [index, data] of encrypted.entries()) {
      expect(await opened({ place: places[index] ?? {}, data })).toBe(payload);
    }
  });
});
