/** The module that `PROVIDER_TYPES` names, and the option `types`. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readTypes } from '../../src/config/provider-types-module.js';
import { Settings } from '../../src/config/settings.js';
import { defineProviderType } from '../../src/providers/define-type.js';
import { secretKey } from '../../src/providers/fields.js';

const CANARY = 'canary-key-5e1f0c7d';
/** What `defineProviderType` makes, as far as modules of another copy of the package are concerned. */
const DEFINED = `const made = (type) => ({ type, [Symbol.for('workspace-providers.provider-type')]: true });`;

const MODULES = {
  'types.cjs': `${DEFINED} exports.pinecone = made('pinecone'); exports.helper = () => 1;`,
  'types.mjs': `${DEFINED} export const pinecone = made('pinecone'); export default [pinecone, made('weaviate')];`,
  'nothing.mjs': `export const pinecone = { type: 'pinecone' };`,
  'empty.cjs': '',
  'twice.mjs': `${DEFINED} export const a = made('pinecone'); export const b = made('pinecone');`,
  'built-in.mjs': `${DEFINED} export const llm = made('llm');`,
  'awaits.mjs': `await Promise.resolve(); export const pinecone = 1;`,
  'throws.mjs': `throw new RangeError('${CANARY}');`,
  'throws-text.cjs': `throw '${CANARY}';`,
  'syntax.mjs': `export const = ;`,
  'imports.mjs': `import './is-not-there.mjs';`,
  'malformed.cjs': `const error = new Error('secret of the provider type x must be …'); error.name = 'ProviderError';
    error.type = 'SetupInvalid'; throw error;`,
  'node_modules/our-types/package.json': '{ "name": "our-types", "exports": "./index.js" }',
  'node_modules/our-types/index.js': `${DEFINED} exports.weaviate = made('weaviate');`,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'provider-types-'));
  await mkdir(join(folder, 'node_modules/our-types'), { recursive: true });
  for (const [name, text] of Object.entries(MODULES)) await writeFile(join(folder, name), text);
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

function read(env: NodeJS.ProcessEnv, options: object = {}): readonly string[] {
  const settings = new Settings(env, options);
  const { ownNames } = readTypes(settings);
  settings.throwIfRefused();
  return ownNames;
}

describe('PROVIDER_TYPES', () => {
  it.each([
    ['', []],
    ['./types.cjs', ['pinecone']],
    ['./types.mjs', ['pinecone', 'weaviate']],
    ['our-types', ['weaviate']],
  ])('that names %j brings the types that the module exports', (PROVIDER_TYPES, names) => {
    expect([...read({ PROVIDER_TYPES })].sort()).toEqual(names);
  });

  it('takes an absolute path', () => {
    expect(read({ PROVIDER_TYPES: join(folder, 'types.cjs') })).toEqual(['pinecone']);
  });

  it.each([
    ['./missing.js', 'names a module that does not exist: give a path such as ./provider-types.js'],
    ['types.cjs', 'names a module that does not exist'],
    ['./nothing.mjs', 'exports no provider type: export what defineProviderType returns'],
    ['./empty.cjs', 'exports no provider type'],
    ['./twice.mjs', 'types pinecone is the name of two types'],
    ['./built-in.mjs', 'types llm is the name of a type of workspace-providers'],
    ['./awaits.mjs', 'names a module that cannot be loaded: it has a top-level await'],
    ['./throws.mjs', 'names a module that cannot be loaded: it threw RangeError; run it with node to see it'],
    ['./throws-text.cjs', 'names a module that cannot be loaded: it threw something'],
    ['./syntax.mjs', 'names a module that cannot be loaded: it threw SyntaxError'],
    ['./imports.mjs', 'names a module that cannot be loaded: it imports a module that does not exist'],
    ['./malformed.cjs', 'names a module that cannot be loaded: secret of the provider type x must be'],
  ])('that names %s is refused: it %s', (PROVIDER_TYPES, problem) => {
    const refused = () => read({ PROVIDER_TYPES });
    expect(refused).toThrow(
      expect.objectContaining({ type: 'SetupInvalid', message: expect.stringContaining(`PROVIDER_TYPES ${problem}`) }),
    );
    expect(refused).not.toThrow('canary');
  });
});

describe('the option types', () => {
  const weather = defineProviderType({
    type: 'weather',
    secret: { key: secretKey },
    destination: () => 'https://x.example',
  });

  it('takes precedence over PROVIDER_TYPES', () => {
    expect(read({ PROVIDER_TYPES: './missing.js' }, { types: [weather] })).toEqual(['weather']);
    expect(read({ PROVIDER_TYPES: './types.cjs' }, { types: [] })).toEqual([]);
  });

  it.each([[weather], ['weather'], [{}]])('is refused unless it is a list: %#', (types) => {
    expect(() => read({}, { types })).toThrow('types must be a list of types that defineProviderType returned');
  });

  it('names each type that is not one', () => {
    expect(() => read({}, { types: [weather, {}] })).toThrow(
      'types[1] must be a type that defineProviderType returned',
    );
  });
});
