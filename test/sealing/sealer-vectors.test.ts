/** A promise to rows that are stored already: if one of these fails, mend the code and leave the rows alone. */
import { expect, test } from 'vitest';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { Sealer } from '../../src/sealing/sealer.js';
import { failureOf } from './fixtures.js';
import { kept } from './vectors.js';

const { encryptionKey, opens, refused } = await kept();
const sealer = new Sealer(parseLocalKeyring(encryptionKey));

test.each(opens)('a kept row still opens: $why', async ({ identity, sealed, dataKeys, plaintext }) => {
  expect(await sealer.open(identity, sealed, dataKeys)).toBe(plaintext);
});

test.each(refused)('a kept row is still refused: $why [G1]', async ({ identity, sealed, dataKeys }) => {
  expect((await failureOf(sealer.open(identity, sealed, dataKeys))).type).toBe('CredentialUnreadable');
});
