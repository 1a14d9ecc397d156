/** The test vectors: rows and payloads that were encrypted with the first version of the format, and never are again. */
import { readFile } from 'node:fs/promises';
import type { ConfigOf, EncryptedPayload, SealedRow } from './python-service.js';

export interface KeptRows {
  readonly encryptionKey: string;
  readonly opens: readonly (SealedRow & { readonly why: string; readonly plaintext: string })[];
  readonly refused: readonly (SealedRow & { readonly why: string })[];
  /** Null: no secret may be sealed for such a config. */
  readonly destinations: readonly (ConfigOf & { readonly destination: string | null })[];
  readonly payloads: {
    /** `payload` is the protobuf message, in hex. */
    readonly opens: readonly (EncryptedPayload & { readonly why: string; readonly payload: string })[];
    readonly refused: readonly (EncryptedPayload & { readonly why: string })[];
  };
}

export async function kept(): Promise<KeptRows> {
  return JSON.parse(await readFile(new URL('../vectors/sealing/v1.json', import.meta.url), 'utf8'));
}
