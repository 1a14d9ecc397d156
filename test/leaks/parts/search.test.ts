/** The search of the leak test finds each form at any place, also in compressed bytes. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Canary, formsOf } from './forms.js';
import { Search } from './search.js';

const KEY: Canary = { kind: 'a key', value: 'canary/of "a key"+with=what?encodings&change' };
const DATA_KEY: Canary = { kind: 'a data key', value: createHash('sha256').update('canary').digest() };
const ABSENT: Canary = { kind: 'absent', value: 'canary/that-was-written-nowhere' };
const PLACE = { surface: 'test', source: 'bytes' };

/** The findings as text. A form may contain a shorter one, so there may be several. */
const found = (bytes: Uint8Array, canaries = [KEY, DATA_KEY, ABSENT]) => {
  const search = new Search(canaries);
  search.bytes(bytes, PLACE);
  return search.finds.map(({ canary, encoding, offset }) => `${canary.kind}, ${encoding}, ${offset}`);
};

const all = [KEY, DATA_KEY].flatMap(formsOf);

describe.each(all.map((form) => [`${form.canary.kind}, ${form.encoding}`, form] as const))('%s', (title, form) => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('is found after %i bytes', (before) => {
    const bytes = Buffer.concat([Buffer.alloc(before, 'x'), form.bytes, Buffer.from('y')]);
    expect(found(bytes)).toContain(`${title}, ${before}`);
  });

  test('is not found if its last byte is missing or different', () => {
    const cut = form.bytes.subarray(0, -1);
    expect(found(cut)).not.toContain(`${title}, 0`);
    expect(found(Buffer.concat([cut, Buffer.from([(form.bytes.at(-1) as number) ^ 1])]))).not.toContain(`${title}, 0`);
  });
});

test.each([0, 1, 2])('the search finds a key after %i bytes of a text in base64', (before) => {
  const text = Buffer.concat([randomBytes(before), Buffer.from(KEY.value), randomBytes(7)]);
  expect(found(Buffer.from(text.toString('base64'))).join()).toContain(`a key, base64 at ${before}`);
  expect(found(Buffer.from(text.toString('base64url'))).join()).toMatch(/a key, base64(url)? at/);
});

describe('the search of a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'workspace-providers-search-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function foundIn(bytes: Buffer) {
    const path = join(folder, 'file');
    await writeFile(path, bytes);
    const search = new Search([KEY], { chunkBytes: 1024, overlapBytes: 128 });
    await search.file(path, { surface: 'test', source: path });
    return { offsets: search.finds.filter(({ encoding }) => encoding === 'raw').map(({ offset }) => offset), search };
  }

  test('finds a secret once at every place around the end of a chunk, and counts every byte once [G8]', async () => {
    const { length } = Buffer.from(KEY.value);
    for (let at = 1024 - length - 1; at <= 1025; at += 1) {
      const bytes = Buffer.concat([Buffer.alloc(at), Buffer.from(KEY.value), Buffer.alloc(3000)]);
      const { offsets, search } = await foundIn(bytes);
      expect(offsets).toEqual([at]);
      expect(search.bytesSearched).toBe(bytes.length);
    }
  });

  test('finds every one of many secrets [G8]', async () => {
    const one = Buffer.concat([Buffer.from(KEY.value), Buffer.alloc(333)]);
    const { offsets } = await foundIn(Buffer.concat(Array.from({ length: 40 }, () => one)));
    expect(offsets).toEqual(Array.from({ length: 40 }, (_, index) => index * one.length));
  });
});

describe('the search of compressed bytes', () => {
  const text = Buffer.from(`before ${'.'.repeat(500)} {"key":"${KEY.value}"} after`);
  const around = (member: Buffer) => Buffer.concat([randomBytes(99), member, randomBytes(99)]);

  const members: [string, Buffer][] = [
    ['gzip', gzipSync(text)],
    ...[0, 1, 2, 6, 9].map((level): [string, Buffer] => [`zlib, level ${level}`, deflateSync(text, { level })]),
    ['gzip within zlib', deflateSync(gzipSync(text))],
    ['gzip that breaks off', gzipSync(Buffer.concat([text, randomBytes(5_000)])).subarray(0, 4_000)],
  ];

  test.each(members)('finds a secret in %s', (name, member) => {
    expect(found(name.includes('breaks') ? member : around(member)).join()).toContain('a key, raw');
  });

  test('counts the inflated bytes', () => {
    const search = new Search([ABSENT]);
    const bytes = gzipSync(text);
    search.bytes(bytes, PLACE);
    expect(search.finds).toEqual([]);
    expect(search.bytesSearched).toBe(bytes.length + text.length);
  });
});

test('a finding contains the place and never the value', () => {
  const search = new Search([KEY]);
  search.bytes(Buffer.from(`x${KEY.value}`), PLACE);
  const [first] = search.finds;
  expect(first).toMatchObject({ surface: 'test', source: 'bytes', offset: 1 });
});
