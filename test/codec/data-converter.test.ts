/** Encrypted payloads and failures: what Temporal stores, and what can be decrypted again. */
import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import {
  ApplicationFailure,
  defaultPayloadConverter,
  type Payload,
  type SerializationContext,
} from '@temporalio/common';
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { describe, expect, it } from 'vitest';
import { failureConverter } from '../../src/codec/failure-converter.js';
import { createPayloadCodec, withoutKey } from '../../src/codec/payload-codec.js';

const CANARY = 'canary-in-a-payload';
const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [first, second] = [key('first'), key('second')];

const payloads = [{ prompt: CANARY }, CANARY, undefined, new Uint8Array([1, 2, 3]), 'x'.repeat(2_000_000)].map(
  (value) => defaultPayloadConverter.toPayload(value) as Payload,
);

const headerOf = (data: Uint8Array | null | undefined): Record<string, string> =>
  JSON.parse(
    Buffer.from(
      Buffer.from(data ?? [])
        .toString()
        .split('.')[0] ?? '',
      'base64url',
    ).toString(),
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

  it('decrypts with any of its keys, so that keys can be replaced, and accepts plaintext only if it is told to [G9]', async () => {
    const old = await createPayloadCodec(first).encode(payloads);
    const both = createPayloadCodec(`${second},${first}`);
    expect(plain(await both.decode(old))).toEqual(plain(payloads));
    const renewed = await both.encode(payloads);
    expect(plain(await createPayloadCodec(second).decode(renewed))).toEqual(plain(payloads));
    const message = expect.stringMatching(/^PROVIDER_PAYLOADS_ACCEPTED does not have plaintext, .* is not encrypted/);
    await expect(both.decode(payloads)).rejects.toMatchObject({ type: 'SetupInvalid', message, retryable: true });
    const migrating = createPayloadCodec(second, { accept: ['plaintext'] });
    expect(plain(await migrating.decode(payloads))).toEqual(plain(payloads));
  });

  it('encrypts each payload under a key of its own, so that no number of payloads wears a key out [G9]', async () => {
    const encoded = await createPayloadCodec(first).encode([...payloads, ...payloads]);
    const headers = encoded.map(({ data }) => headerOf(data));
    expect(new Set(headers.map(({ salt }) => salt)).size).toBe(encoded.length);
    const platformKey = Buffer.from(first.split(':')[1] as string, 'base64');
    for (const [index, { data }] of encoded.entries()) {
      const jwe = Buffer.from(data as Uint8Array).toString();
      await expect(compactDecrypt(jwe, platformKey)).rejects.toThrow();
      const salt = Buffer.from(headers[index]?.salt ?? '', 'base64url');
      expect(salt).toHaveLength(32);
      const own = new Uint8Array(hkdfSync('sha256', platformKey, salt, 'temporal-payload+jwe', 32));
      const { plaintext } = await compactDecrypt(jwe, own);
      expect(plaintext.length).toBeGreaterThan(0);
    }
  });

  describe('binds a payload to its workflow', () => {
    const ofA = { type: 'workflow', namespace: 'agents', workflowId: 'ws_a/agent' } as const;
    const inA = {
      type: 'activity',
      namespace: 'agents',
      workflowId: 'ws_a/agent',
      activityId: '1',
      isLocal: false,
    } as const;
    const unnamed = { type: 'activity', namespace: 'agents', activityId: '1', isLocal: false } as const;
    const codec = createPayloadCodec(first);
    const isCopied = {
      type: 'SetupInvalid',
      message: expect.stringMatching(/^PROVIDER_PAYLOADS_ACCEPTED does not have other-workflows, .* copied from there/),
    };

    it.each<[string, SerializationContext | undefined, SerializationContext | undefined]>([
      ['a workflow', ofA, ofA],
      ['an activity of the workflow', inA, ofA],
      ['the workflow, in its activity', ofA, inA],
      ['a run that a schedule started', ofA, { ...ofA, workflowId: 'ws_a/agent-2026-03-01T12:00:00Z' }],
      [
        'the next run of a schedule',
        { ...ofA, workflowId: 'ws_a/agent-2026-03-01T12:00:00Z' },
        { ...ofA, workflowId: 'ws_a/agent-2026-03-02T12:00:00Z' },
      ],
      ['a reader who is told of no workflow, as a codec server is', ofA, undefined],
      ['a writer who is told of no workflow, as one with a task token is', undefined, inA],
      ['an activity without a workflow', unnamed, unnamed],
      [
        'a workflow whose id is of any characters',
        { ...ofA, workflowId: 'ws/"å\\\u0001…\u2028' },
        { ...ofA, workflowId: 'ws/"å\\\u0001…\u2028' },
      ],
    ])('and opens it for %s [G9]', async (_, encodedFor, decodedFor) => {
      const encoded = await codec.encode(payloads, encodedFor);
      expect(plain(await codec.decode(encoded, decodedFor))).toEqual(plain(payloads));
    });

    it.each<[string, SerializationContext, SerializationContext]>([
      ['another workflow', ofA, { ...ofA, workflowId: 'ws_b/agent' }],
      ['a workflow whose id begins alike', ofA, { ...ofA, workflowId: 'ws_a/agent/1' }],
      ['an activity of another workflow', ofA, { ...inA, workflowId: 'ws_b/agent' }],
      ['a workflow, from an activity of another', inA, { ...ofA, workflowId: 'ws_b/agent' }],
      ['the same id in another namespace', ofA, { ...ofA, namespace: 'tests' }],
      ['an activity without a workflow in another namespace', unnamed, { ...unnamed, namespace: 'tests' }],
    ])('and refuses one that was copied to %s, unless it is told to accept such [G9]', async (_, from, to) => {
      const encoded = await codec.encode(payloads, from);
      await expect(codec.decode(encoded, to)).rejects.toMatchObject(isCopied);
      const nexus = createPayloadCodec(first, { accept: ['other-workflows'] });
      expect(plain(await nexus.decode(encoded, to))).toEqual(plain(payloads));
    });

    it('and refuses a header from which the workflow was removed, or in which it was changed [G9]', async () => {
      const [encoded] = await codec.encode(payloads, ofA);
      const [, ...parts] = Buffer.from(encoded?.data ?? [])
        .toString()
        .split('.');
      const { workflow_id, ...without } = headerOf(encoded?.data);
      const forged = [
        without,
        { ...without, workflow_id: 'ws_b/agent' },
        { ...without, workflow_id, zip: 'DEF' },
        { ...without, workflow_id: 1 },
      ];
      for (const header of forged) {
        const data = Buffer.from([Buffer.from(JSON.stringify(header)).toString('base64url'), ...parts].join('.'));
        await expect(codec.decode([{ ...encoded, data }], ofA)).rejects.toMatchObject({
          type: 'SetupInvalid',
          message: expect.stringMatching(/^PROVIDER_PAYLOAD_KEY does not decrypt a payload/),
        });
      }
    });
  });

  it('has a stand-in for processes without a key, which names the missing setting [G9]', async () => {
    const encoded = await createPayloadCodec(first).encode(payloads);
    const message = expect.stringMatching(/^PROVIDER_PAYLOAD_KEY is not set in this process/);
    await expect(withoutKey.decode(encoded)).rejects.toMatchObject({ type: 'SetupInvalid', message, retryable: true });
    expect(await withoutKey.decode(payloads)).toEqual(payloads);
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
