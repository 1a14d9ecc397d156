/** Rows that are already stored must keep opening. If one of these tests fails, fix the code and not the rows. */
import { expect, test } from 'vitest';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { Sealer } from '../../src/sealing/sealer.js';
import { destinationOf } from '../support/built-in-types.js';
import { failureOf } from './fixtures.js';
import { kept } from './vectors.js';

const { encryptionKey, opens, refused, destinations } = await kept();
const sealer = new Sealer(parseLocalKeyring(encryptionKey));

test.each(opens)('a test vector still opens: $why', async ({ identity, sealed, dataKeys, plaintext }) => {
  expect(await sealer.open(identity, sealed, dataKeys)).toBe(plaintext);
});

test.each(refused)('a test vector is still refused: $why [G1]', async ({ identity, sealed, dataKeys }) => {
  expect((await failureOf(sealer.open(identity, sealed, dataKeys))).type).toBe('CredentialUnreadable');
});

test.each(destinations)(
  'a config of $type/$name leads to $destination: $config [G11]',
  ({ type, name, config, destination }) => {
    const derive = () => destinationOf(type, name, config);
    if (destination === null) expect(derive).toThrow(expect.objectContaining({ type: 'ProviderConfigInvalid' }));
    else expect(derive()).toBe(destination);
  },
);
