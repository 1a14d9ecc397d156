/** A row that was altered anywhere does not open: the tag protects its bytes, and each has only one valid spelling. */
import { describe, expect, test } from 'vitest';
import { ACME, PLAINTEXT } from './fixtures.js';
import { alterations, expectRefused, forge, row } from './forging.js';

describe('an altered row does not open', () => {
  test('with any bit changed in any character of header, IV, ciphertext or tag', async () => {
    let tried = 0;
    for (const altered of alterations(row.jwe)) {
      await expectRefused(altered);
      tried += 1;
    }
    expect(tried).toBeGreaterThan(6 * (row.jwe.length - 4));
  });

  test('cut at any length, or with anything added', async () => {
    for (let length = 0; length < row.jwe.length; length += 1) await expectRefused(row.jwe.slice(0, length));
    for (const extra of ['A', '.', '.AAAA', '=', '\n', ' ', '\0']) {
      await expectRefused(row.jwe + extra);
      await expectRefused(extra + row.jwe);
    }
  });

  test('with a part that is missing, moved or taken from another row', async () => {
    const other = await row.sealer.seal(ACME, PLAINTEXT, row.dataKey);
    const parts = row.jwe.split('.');
    for (let index = 0; index < parts.length; index += 1) {
      await expectRefused(parts.with(index, other.split('.')[index === 0 ? 2 : index] || 'AAAA').join('.'));
      if (parts[index]) await expectRefused(parts.with(index, '').join('.'));
      await expectRefused(parts.toSpliced(index, 1).join('.'));
    }
  });

  test('over 96 KiB, even if everything else is valid', async () => {
    await expectRefused(await forge(row.header, row.key, Buffer.alloc(96 * 1024, 'x')));
  });

  test('that is not a compact JWE at all, of any length [G1]', async () => {
    const [header] = row.jwe.split('.');
    const flattened = JSON.stringify({ protected: header, iv: 'A', ciphertext: 'A', tag: 'A' });
    const long = 10_000_000;
    const near = `${header}..${'A'.repeat(16)}.${'A'.repeat(90_000)}`;
    for (const text of [
      '',
      '.',
      '....',
      '{}',
      flattened,
      'A'.repeat(long),
      '.'.repeat(long),
      near,
      `${near}.${'A'.repeat(22)}`,
    ])
      await expectRefused(text);
  });
});
