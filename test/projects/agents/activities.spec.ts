import { strict as assert } from 'node:assert';
import { describe, it } from 'mocha';
import { createActivities } from './activities';

describe('the activities', () => {
  const activities = createActivities({ nameOf: async (workspace) => workspace });

  it('greet without a provider', async () => {
    assert.equal(await activities.greet('acme'), 'Good morning, acme');
  });

  it('open a provider only in a worker', () => {
    assert.throws(() => activities.countModels({} as never), /inside an activity of a worker/);
  });
});
