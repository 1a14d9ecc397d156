/** The test vectors: rows that were sealed with the first version of the format and are never sealed again. */
import { readFile } from 'node:fs/promises';
import type { ConfigOf, SealedRow } from './python-service.js';

export interface KeptRows {
  readonly encryptionKey: string;
  readonly opens: readonly (SealedRow & { readonly why: string; readonly plaintext: string })[];
  readonly refused: readonly (SealedRow & { readonly why: string })[];
  /** Null: no secret may be sealed for such a config. */
  readonly destinations: readonly (ConfigOf & { readonly destination: string | null })[];
}

export async function kept(): Promise<KeptRows> {
  return JSON.parse(await readFile(new URL('../vectors/sealing/v1.json', import.meta.url), 'utf8'));
}
