/** Assignments after `--set`: text becomes the fields of the type, and secrets are refused. */
import { describe, expect, it } from 'vitest';
import { parseAssignments } from '../../src/cli/assignments.js';
import { providerType } from '../support/built-in-types.js';

describe('--set', () => {
  it('makes a number or a text, depending on the field', () => {
    expect(parseAssignments(providerType('rpc'), 'mainnet', ['chainId=1', 'priority=5'])).toEqual({
      chainId: 1,
      priority: 5,
    });
    expect(parseAssignments(providerType('llm'), 'anthropic', ['model=4'])).toEqual({ model: '4' });
    expect(
      parseAssignments(providerType('http'), 'x', ['answers=[{"status":404,"means":"ProviderUnavailable"}]']),
    ).toEqual({
      answers: [{ status: 404, means: 'ProviderUnavailable' }],
    });
  });

  it('takes everything after the first equals sign', () => {
    expect(parseAssignments(providerType('llm'), 'mine', ['baseURL=https://models.example/?a=b'])).toEqual({
      baseURL: 'https://models.example/?a=b',
    });
  });

  it('keeps invalid values as text for the later validation of the provider', () => {
    expect(parseAssignments(providerType('rpc'), 'mainnet', ['chainId=one'])).toEqual({ chainId: 'one' });
  });

  it.each([
    ['colour=red', 'rpc has no field colour: it takes chainId, priority', 'config.colour'],
    ['chain_id=1', 'rpc has no field: did you mean chainId?', 'config'],
    ['sk-canary-1=1', 'rpc has no field: it takes chainId, priority', 'config'],
  ])('refuses a field that the type does not have, and names it unless it may be a key: %s', (text, message, field) => {
    expect(() => parseAssignments(providerType('rpc'), 'mainnet', [text])).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), facts: { fields: [field] } }),
    );
  });

  it.each([
    ['llm', 'anthropic', 'apiKey'],
    ['tenderly', 'default', 'accessKey'],
    ['tenderly', 'default', 'nodeAccessKey'],
    ['rpc', 'mainnet', 'url'],
    ['rpc', 'mainnet', 'headers'],
    ['http', 'weather', 'key'],
  ])('refuses a secret of %s/%s, %s, and does not repeat its value [G19]', (type, name, field) => {
    const parse = () => parseAssignments(providerType(type), name, [`${field}=canary-key`]);
    expect(parse).toThrow(expect.objectContaining({ facts: { fields: [`secret.${field}`] } }));
    expect(parse).toThrow(/^(?!.*canary).*--secret-env/s);
  });

  it.each(['canary-key', '=canary-key'])(
    'refuses text that is not an assignment, and does not repeat it: %s',
    (text) => {
      expect(() => parseAssignments(providerType('llm'), 'anthropic', [text])).toThrow('--set must be key=value');
    },
  );
});
