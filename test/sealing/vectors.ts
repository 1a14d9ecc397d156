/** The test vectors: rows that were sealed with the first version of the format and are never sealed again. */
import { readFile } from 'node:fs/promises';
import type { SealedRow } from './python-service.js';

export interface KeptRows {
  readonly encryptionKey: string;
  readonly opens: readonly (SealedRow & { readonly why: string; readonly plaintext: string })[];
  readonly refused: readonly (SealedRow & { readonly why: string })[];
}

export async function kept(): Promise<KeptRows> {
  return JSON.parse(await readFile(new URL('../vectors/sealing/v1.json', import.meta.url), 'utf8'));
}
