/** A change whose wait for the workers fails or cannot start. */
import { describe, expect, it } from 'vitest';
import { type ChangeOptions, fenceChange } from '../../src/management/change-fence.js';
import { FakeRegistry } from '../support/fake-registry.js';

const CHANGED = { version: 2 };

function change(registry: FakeRegistry, options: ChangeOptions<typeof CHANGED>) {
  const made: string[] = [];
  const make = async () => {
    made.push('changed');
    return CHANGED;
  };
  return { made, outcome: fenceChange(registry, make, options) };
}

describe('a change', () => {
  it('is not made if the limit is not a duration', async () => {
    const { made, outcome } = change(new FakeRegistry(), { fence: 'soon' as '1s' });
    await expect(outcome).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: 'fence must be false or a duration such as 500ms, 30s, 15m, 24h or 7d',
      facts: { fields: ['fence'] },
    });
    expect(made).toEqual([]);
  });

  it('is reported as made if Postgres goes away during the wait', async () => {
    const registry = new FakeRegistry();
    const { outcome } = change(registry, {
      onChanged: () => {
        registry.isAway = true;
      },
    });
    await expect(outcome).rejects.toMatchObject({
      type: 'StoreUnavailable',
      message: 'the change was made, but some workers may not have it yet: Postgres does not answer',
    });
  });

  it('does not read the workers with `fence: false`', async () => {
    const registry = new FakeRegistry();
    registry.isAway = true;
    expect(await change(registry, { fence: false }).outcome).toEqual(CHANGED);
  });
});
