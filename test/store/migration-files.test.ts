/**
 * Until the first tag the schema files are edited in place. From then on databases have run them, so they are
 * append-only: a file that is in the newest tag never changes, and a new file comes after all of them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const SCHEMA = 'src/store/schema';

/** Within a git hook these variables would point every command at the hook's repository. */
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));

function git(repository: string, ...args: string[]): string[] {
  const options = { cwd: repository, env: ENVIRONMENT, encoding: 'utf8', stdio: 'pipe' } as const;
  return execFileSync('git', args, options).split('\n').filter(Boolean);
}

/** The newest version in the history of what is checked out. Undefined if there is no tag, no history or no git. */
function newestTag(repository: string): string | undefined {
  try {
    // An unpacked tarball may be inside another repository, whose tags do not count.
    if (git(repository, 'rev-parse', '--show-toplevel')[0] !== realpathSync(repository)) return undefined;
    const newestFirst = ['-c', 'versionsort.suffix=-', 'tag', '--list', 'v*', '--merged', 'HEAD', '--sort=-v:refname'];
    return git(repository, ...newestFirst)[0];
  } catch {
    return undefined;
  }
}

/** The schema files that break the rule: changed or removed since the newest tag, or added before the last of its files. */
function notAppended(repository: string): string[] {
  const tag = newestTag(repository);
  if (tag === undefined) return [];
  const released = git(repository, 'ls-tree', '-r', '--name-only', tag, '--', SCHEMA).sort();
  const last = released.at(-1) ?? '';
  const changed = git(repository, 'diff', '--name-only', '--no-renames', '--diff-filter=a', tag, '--', SCHEMA);
  const present = git(repository, 'ls-files', '--cached', '--others', '--exclude-standard', '--', SCHEMA);
  const inserted = present.filter((file) => !released.includes(file) && file < last);
  return [...new Set([...changed, ...inserted])].sort();
}

it('the schema files of the newest tag are unchanged, and new ones come after them', () => {
  expect(notAppended(REPOSITORY)).toEqual([]);
});

describe('in a repository', () => {
  let repository: string;
  const path = (name: string) => join(repository, SCHEMA, name);
  const write = (name: string, sql: string) => writeFileSync(path(name), sql);
  const schemaFiles = (...names: string[]) => names.map((name) => `${SCHEMA}/${name}`);

  function commit(tag?: string) {
    const as = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
    git(repository, 'add', '--all');
    git(repository, ...as, '-c', 'commit.gpgSign=false', 'commit', '--quiet', '--allow-empty', '--message', 'a change');
    if (tag) git(repository, ...as, '-c', 'tag.gpgSign=false', 'tag', tag);
  }

  beforeEach(() => {
    repository = realpathSync(mkdtempSync(join(tmpdir(), 'append-only-')));
    git(repository, 'init', '--quiet');
    mkdirSync(join(repository, SCHEMA), { recursive: true });
    write('0001_roles.sql', 'create role a;\n');
    write('0002_tables.sql', 'create table a ();\n');
  });
  afterEach(() => rmSync(repository, { recursive: true, force: true }));

  it('without a tag, files may be edited', () => {
    commit();
    write('0002_tables.sql', 'create table b ();\n');
    expect(notAppended(repository)).toEqual([]);
  });

  it('with a tag, an edited, removed or renamed file is reported, committed or not', () => {
    commit('v0.1.0');
    expect(notAppended(repository)).toEqual([]);
    write('0001_roles.sql', 'create role b;\n');
    expect(notAppended(repository)).toEqual(schemaFiles('0001_roles.sql'));
    commit();
    expect(notAppended(repository)).toEqual(schemaFiles('0001_roles.sql'));
    renameSync(path('0002_tables.sql'), path('0003_tables.sql'));
    expect(notAppended(repository)).toEqual(schemaFiles('0001_roles.sql', '0002_tables.sql'));
    rmSync(path('0003_tables.sql'));
    expect(notAppended(repository)).toEqual(schemaFiles('0001_roles.sql', '0002_tables.sql'));
  });

  it('with a tag, a new file must come last', () => {
    commit('v0.1.0');
    write('0003_more.sql', 'create table c ();\n');
    expect(notAppended(repository)).toEqual([]);
    write('0001_sooner.sql', 'create table d ();\n');
    expect(notAppended(repository)).toEqual(schemaFiles('0001_sooner.sql'));
  });

  it('the tag with the highest version counts', () => {
    commit('v0.9.0');
    write('0003_more.sql', 'create table c ();\n');
    commit('v0.10.0');
    write('0003_more.sql', 'create table d ();\n');
    expect(notAppended(repository)).toEqual(schemaFiles('0003_more.sql'));
  });

  it('without git metadata, or inside another repository, there is no tag', () => {
    commit('v0.1.0');
    write('0001_roles.sql', 'create role b;\n');
    const unpacked = join(repository, 'unpacked');
    mkdirSync(join(unpacked, SCHEMA), { recursive: true });
    expect(notAppended(unpacked)).toEqual([]);
    rmSync(join(repository, '.git'), { recursive: true });
    expect(notAppended(repository)).toEqual([]);
  });
});
