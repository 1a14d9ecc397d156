import { expect, test } from 'vitest';
import { createActivities } from '../agents/activities.js';

const activities = createActivities({ nameOf: async (workspace) => workspace });

test('the activities greet without a provider', async () => {
  expect(await activities.greet('acme')).toBe('Good morning, acme');
});

test('the activities open a provider only in a worker', () => {
  expect(() => activities.countModels({} as never)).toThrow(/inside an activity of a worker/);
});
