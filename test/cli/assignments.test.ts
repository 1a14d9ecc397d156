/** What follows `--set`: text made into what the type takes, and no place for a secret. */
import { describe, expect, it } from 'vitest';
import { parseAssignments } from '../../src/cli/assignments.js';

describe('--set', () => {
  it('gives a number where the type wants one, and text where it wants that', () => {
    expect(parseAssignments('rpc', 'mainnet', ['chainId=1', 'priority=5'])).toEqual({ chainId: 1, priority: 5 });
    expect(parseAssignments('llm', 'anthropic', ['model=4'])).toEqual({ model: '4' });
  });

  it('takes all that follows the first equals sign', () => {
    expect(parseAssignments('llm', 'mine', ['baseURL=https://models.example/?a=b'])).toEqual({
      baseURL: 'https://models.example/?a=b',
    });
  });

  it('leaves what fits in no way to the check of the whole', () => {
    expect(parseAssignments('rpc', 'mainnet', ['chainId=one', 'colour=red'])).toEqual({
      chainId: 'one',
      colour: 'red',
    });
  });

  it.each([
    ['llm', 'anthropic', 'apiKey'],
    ['tenderly', 'default', 'accessKey'],
    ['tenderly', 'default', 'nodeAccessKey'],
    ['rpc', 'mainnet', 'url'],
    ['rpc', 'mainnet', 'headers'],
  ])('refuses a secret of %s/%s: %s, without its value [G19]', (type, name, field) => {
    const parse = () => parseAssignments(type, name, [`${field}=canary-key`]);
    expect(parse).toThrow(expect.objectContaining({ facts: { fields: [`secret.${field}`] } }));
    expect(parse).toThrow(/^(?!.*canary).*--secret-env/s);
  });

  it.each(['canary-key', '=canary-key'])('refuses what is no assignment, without repeating it: %s', (text) => {
    expect(() => parseAssignments('llm', 'anthropic', [text])).toThrow('--set must be key=value');
  });
});
