/** The pages for reviewers and the tests agree: each guarantee (`G7`) has a test, and no test names an unknown one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from './scratch-project.js';

const PAGES = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md'],
  ...['README', 'getting-started', 'deploying', 'threat-model', 'asvs', 'supply-chain'].map(
    (page) => `docs/${page}.md`,
  ),
];

const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');

/** The ids in the titles of tests: the first argument of `it`, `test`, `describe` and of their `each`. */
const idsInTitles = (source: string) =>
  Array.from(source.matchAll(/(['"`])[^'"`\n]*((?: ?\[G\d+\])+)[^'"`\n]*\1,/g)).flatMap(
    ([title]) => title.match(/G\d+(?=\])/g) ?? [],
  );

const idsIn = (page: string) => page.match(/\bG\d+\b/g) ?? [];

const guaranteed = Array.from(read('docs/threat-model.md').matchAll(/^\| (G\d+) \|/gm), ([, id = '']) => id);
const tested = new Set(
  readdirSync(join(REPOSITORY, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && file !== 'architecture/threat-model.test.ts')
    .flatMap((file) => idsInTitles(read(join('test', file)))),
);

it('the guarantees are numbered from G1 without a gap', () => {
  expect(guaranteed.length).toBeGreaterThan(20);
  expect(guaranteed).toEqual(guaranteed.map((_, index) => `G${index + 1}`));
});

it('each guarantee has a test', () => {
  expect(guaranteed.filter((id) => !tested.has(id))).toEqual([]);
});

it('each id in a test title or on a page is the id of a guarantee', () => {
  const named = [...tested, ...PAGES.flatMap((page) => idsIn(read(page)))];
  expect(named.filter((id) => !guaranteed.includes(id))).toEqual([]);
});

it('the check finds every id in a title, and ignores other text', () => {
  expect(idsInTitles("it('opens once [G98] [G99]', async () => {")).toEqual(['G98', 'G99']);
  expect(idsInTitles('// see [G98], which this does not prove')).toEqual([]);
});

describe.each(PAGES)('%s', (path) => {
  it('links to pages and files that exist', () => {
    const page = read(path);
    const links = Array.from(page.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#[^)]*)?\)/g), ([, link = '']) => link);
    const files = Array.from(
      page.matchAll(/`((?:src|test|docs|docker|\.ci)\/[\w./-]+\.\w+)`/g),
      ([, file = '']) => file,
    );
    const broken = [
      ...links.filter((link) => link !== '' && !existsSync(join(REPOSITORY, dirname(path), link))),
      ...files.filter((file) => !existsSync(join(REPOSITORY, file))),
    ];
    expect(broken).toEqual([]);
  });
});
