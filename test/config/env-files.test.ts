import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { formatEnvFile, loadEnvFiles, parseEnvFile } from '../../src/config/env-files.js';
import { takeEnvironment } from '../../src/config/process-hardening.js';
import { Settings } from '../../src/config/settings.js';

const valuesOf = (text: string) =>
  Object.fromEntries([...parseEnvFile(text, 'x.env')].map(([name, { value }]) => [name, value]));

describe('a file of settings', () => {
  it.each([
    'A=1\nB = two words # comment\n',
    '# comment\n# another\nexport A=1\n',
    `A='{"keys":["#"]}'\nB="a\\nb"\nC=\`it's\`\n`,
    'A="first\nsecond # kept\n"\nB=1',
    'A=\nB=',
    'A=1\r\nB=2\r\n',
    'A=1\nA=2',
    `A='x' # comment`,
    'a.b=1\n_c=2\nd-e=3',
    'A=x#y\nB==',
  ])('is read as Node reads it: %j', (text) => {
    expect(valuesOf(text)).toEqual({ ...parseEnv(text) });
  });

  it('may begin with a byte order mark', () => {
    expect(valuesOf('\uFEFFA=1')).toEqual({ A: '1' });
  });

  it.each([
    ['A=1\ncanary', 2, 'is not a setting: it must be NAME=value'],
    ['canary: 1', 1, 'is not a setting'],
    ['=canary', 1, 'is not a setting'],
    ['A=1\n\nCANARY KEY=1', 3, 'is not a setting'],
    ['1CANARY=1', 1, 'is not a setting'],
    ['A=1\nB="canary', 2, 'has a quote that is not closed'],
    ["A='canary\nB=1\n", 1, 'has a quote that is not closed'],
    ["A='first\nB=1\nC='canary'", 1, 'has text after the closing quote'],
    ['A="canary"canary', 1, 'has text after the closing quote'],
    ['A="x\ny"\ncanary', 3, 'is not a setting'],
  ])('is refused by file and line, without the value, if Node would skip or cut a line: %j', (text, line, problem) => {
    const parse = () => parseEnvFile(text, 'x.env');
    expect(parse).toThrow(`x.env line ${line} ${problem}`);
    expect(parse).not.toThrow(/canary/i);
    expect(parse).toThrow(expect.objectContaining({ type: 'SetupInvalid' }));
  });

  it('keeps a variable that Node 20 loses: after a blank line and an indented comment', () => {
    expect(valuesOf('# comment\n\n  # another\nexport A=1\n\tB=2')).toEqual({ A: '1', B: '2' });
  });

  it('has the values that Node finds in it, whatever they are', () => {
    const pieces = fc.constantFrom('A', '=', ' ', '#', '"', "'", '`', 'x', '\\n', 'export ', '$');
    const quotes = fc.constantFrom('', '"', "'", '`');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), quotes, (parts, quote) => {
        const text = `A=${quote}${parts.join(quote && '\n')}${quote}`;
        let values: Record<string, string>;
        try {
          values = valuesOf(text);
        } catch {
          return;
        }
        expect(values).toEqual({ ...parseEnv(text) });
      }),
      { numRuns: 20_000 },
    );
  });

  it('that this package writes is read back by Node as it was', () => {
    const values = fc.string({ unit: 'grapheme-ascii' }).filter((value) => !/['\n\r]/.test(value));
    fc.assert(
      fc.property(values, (value) => {
        expect({ ...parseEnv(formatEnvFile({ A: value, B: 'after' })) }).toEqual({ A: value, B: 'after' });
      }),
    );
    expect(() => formatEnvFile({ A: "canary's" })).toThrow(/^the value of A has a quote/);
  });
});

describe('the files of --env-file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'workspace-providers-env-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => vi.unstubAllEnvs());
  let written = 0;
  const file = (content: string) => {
    written += 1;
    const path = join(folder, `${written}.env`);
    writeFileSync(path, content);
    return path;
  };

  it('add to the environment: what is set already stays, even if it is empty, and the last file counts', () => {
    vi.stubEnv('ENV_FILES_SET', 'environment');
    vi.stubEnv('ENV_FILES_EMPTY', '');
    const first = file('ENV_FILES_SET=file\nENV_FILES_EMPTY=file\nENV_FILES_ONE=first\nENV_FILES_TWO=first');
    loadEnvFiles([first, file('ENV_FILES_TWO=second')]);
    expect(takeEnvironment()).toMatchObject({
      ENV_FILES_SET: 'environment',
      ENV_FILES_EMPTY: '',
      ENV_FILES_ONE: 'first',
      ENV_FILES_TWO: 'second',
    });
  });

  it('keep their secrets out of process.env, and so from child processes [G19]', () => {
    loadEnvFiles([
      file('PROVIDER_PAYLOAD_KEY=canary-payload\nMISTRAL_API_KEY=canary-mistral\nPROVIDER_TASK_QUEUE=plain'),
    ]);
    expect(takeEnvironment()).toMatchObject({
      PROVIDER_PAYLOAD_KEY: 'canary-payload',
      MISTRAL_API_KEY: 'canary-mistral',
    });
    expect(Object.values(process.env).filter((value) => value?.includes('canary'))).toEqual([]);
    expect(process.env.PROVIDER_TASK_QUEUE).toBe('plain');
    delete process.env.PROVIDER_TASK_QUEUE;
  });

  it('are named, with the line, if a setting in them does not fit', () => {
    const path = file('# comment\nPROVIDER_CACHE_LEASE=canary\nPROVIDER_CACHE_MXA=5');
    loadEnvFiles([path]);
    const settings = new Settings(takeEnvironment());
    settings.durationMs('PROVIDER_CACHE_LEASE');
    settings.refuseMisspelt();
    expect(() => settings.throwIfRefused()).toThrow(`PROVIDER_CACHE_LEASE (${path} line 2) must be a duration`);
    expect(() => settings.throwIfRefused()).toThrow(`PROVIDER_CACHE_MXA (${path} line 3) is not a setting`);
    expect(() => settings.throwIfRefused()).not.toThrow(/canary/);
  });

  it.each([
    ['does not exist', () => join(folder, 'missing.env')],
    ['is a folder', () => folder],
  ])('are refused by name if one %s, and then none counts', (problem, path) => {
    const load = () => loadEnvFiles([file('ENV_FILES_UNUSED=1'), path()]);
    expect(load).toThrow(`--env-file ${path()} names a file that ${problem}`);
    expect(process.env.ENV_FILES_UNUSED).toBeUndefined();
  });
});
