/** The set of provider types that a process knows. */
import { describe, expect, it } from 'vitest';
import { defineProviderType } from '../../src/providers/define-type.js';
import { secretKey } from '../../src/providers/fields.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';

const own = (type: string) =>
  defineProviderType({ type, secret: { key: secretKey }, destination: () => 'https://x.example' });

describe('types of users', () => {
  it('are known beside those of the package, in that set only', () => {
    const types = ProviderTypes.with([own('pinecone'), own('pinecone-admin')]);
    expect(types.names).toEqual([...ProviderTypes.builtIn.names, 'pinecone', 'pinecone-admin']);
    expect(types.ownNames).toEqual(['pinecone', 'pinecone-admin']);
    expect(ProviderTypes.builtIn.names).not.toContain('pinecone');
    expect(ProviderTypes.with([]).ownNames).toEqual([]);
  });

  it('are opened by steps unless their name says that they are an admin’s [G15]', () => {
    const types = ProviderTypes.with([own('pinecone'), own('pinecone-admin')]);
    expect(types.stepNames).toEqual(['llm', 'tenderly', 'rpc', 'http', 'pinecone']);
    expect(() => types.stepType('pinecone-admin')).toThrow('steps open no others');
  });

  it.each<[string, readonly unknown[], string]>([
    ['two types of one name', [own('pinecone'), own('pinecone')], 'types pinecone is the name of two types'],
    [
      'a type with the name of one of the package',
      [own('llm')],
      'types llm is the name of a type of workspace-providers',
    ],
    [
      'a definition that was not passed to defineProviderType',
      [{ type: 'x' }],
      'types types[0] must be a type that defineProviderType returned',
    ],
    ['nothing', [undefined], 'types types[0] must be'],
    ['a text', ['pinecone'], 'types types[0] must be'],
  ])('%s is refused', (_what, types, message) => {
    expect(() => ProviderTypes.with(types)).toThrow(
      expect.objectContaining({ type: 'SetupInvalid', message: expect.stringContaining(message) }),
    );
  });

  it('are named in the error for a type that is not known', () => {
    expect(() => ProviderTypes.with([own('pinecone')]).get('pincone')).toThrow(
      /must be one of .*pinecone; types of your own/,
    );
  });
});
