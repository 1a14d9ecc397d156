/** A workflow that is not a rotation, under the id of one: whoever may start workflows can put it there. */
import { expect, test } from 'vitest';
import { RotationClient } from '../../src/client.js';
import { uniqueName } from '../support/parts.js';
import { acme, useTwoWorkspaces } from './two-workspaces.js';

const two = useTwoWorkspaces();

test('a rotation says that a workflow of another type has its id, and stages nothing', async () => {
  const provider = { workspaceId: acme, type: 'llm', name: 'anthropic' };
  const foreign = await two.waiting(two.bare, `rotate/${acme}/llm/anthropic`);
  const rotations = new RotationClient(two.stage.manager, two.grants.operatorClient('ann'), uniqueName('operations'));
  await expect(
    rotations.rotate({ ...provider, secret: { apiKey: 'canary-key-1234567890-a1b2' } }),
  ).rejects.toMatchObject({
    type: 'RotationFailed',
    message: expect.stringContaining(
      `a workflow that is not a rotation runs under the id rotate/${acme}/llm/anthropic`,
    ),
  });
  expect(await two.stage.manager.listRotations(acme)).toEqual([]);
  await foreign.terminate();
});
