/** What the pages for reviewers point at is there: each test by its title, each page by its path. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from './scratch-project.js';

const PAGES = ['docs/threat-model.md', 'docs/asvs.md', 'docs/supply-chain.md', 'SECURITY.md', 'CONTRIBUTING.md'];

const read = (path: string) => readFile(join(REPOSITORY, path), 'utf8');

/** A file in back-quotes, and the titles that follow it in curly quotation marks. */
const NAMED_TESTS = /`(test\/[^`]+\.test\.ts)`((?:,? “[^”]+”)+)/g;

function testsNamedIn(page: string): { readonly file: string; readonly title: string }[] {
  return Array.from(page.matchAll(NAMED_TESTS)).flatMap(([, file = '', titles = '']) =>
    Array.from(titles.matchAll(/“([^”]+)”/g), ([, title = '']) => ({ file, title })),
  );
}

async function hasTest(file: string, title: string): Promise<boolean> {
  if (!existsSync(join(REPOSITORY, file))) return false;
  const source = await read(file);
  const text = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`\\(\\s*(['"\`])${text}\\1,`).test(source);
}

describe.each(PAGES)('%s', (path) => {
  it('names tests that are there', async () => {
    const missing: string[] = [];
    for (const { file, title } of testsNamedIn(await read(path)))
      if (!(await hasTest(file, title))) missing.push(`${file}: ${title}`);
    expect(missing).toEqual([]);
  });

  it('leads to pages and files that are there', async () => {
    const page = await read(path);
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

it('each wall of the threat model names a test', async () => {
  const [, walls = ''] = (await read('docs/threat-model.md')).split('## Walls');
  const rows = walls.split('\n## ')[0]?.match(/^\| (?!wall |---).*$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(12);
  expect(rows.filter((row) => testsNamedIn(row).length === 0)).toEqual([]);
});

it('a test that is not there is missed', async () => {
  const own = 'test/architecture/threat-model.long.test.ts';
  const named = testsNamedIn(`\`${own}\` “a test that is not there is missed” “a test of another title”`);
  expect(await Promise.all(named.map(({ file, title }) => hasTest(file, title)))).toEqual([true, false]);
});
