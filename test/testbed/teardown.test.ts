import { expect, it } from 'vitest';
import { setUp, type Teardown } from '../../testbed/teardown.js';

/** Starts parts of these names, and notes which are stopped. */
function parts() {
  const stopped: string[] = [];
  const start = async (name: string) => ({ stop: async () => void stopped.push(name) });
  return { stopped, start };
}

it('stops the parts in the reverse order of their start, once', async () => {
  const { stopped, start } = parts();
  const stage = await setUp(async (teardown) => {
    for (const name of ['first', 'second']) await teardown.use(start(name));
    return { port: 1 };
  });
  expect([stage.port, stopped]).toEqual([1, []]);
  await Promise.all([stage.tearDown(), stage.tearDown()]);
  expect(stopped).toEqual(['second', 'first']);
});

it('stops what was started if set-up fails, also a part that is still starting then', async () => {
  const { stopped, start } = parts();
  let finishStart = () => {};
  let late: Promise<unknown> | undefined;
  const build = async (teardown: Teardown) => {
    await teardown.use(start('first'));
    late = teardown.use(new Promise<void>((resolve) => (finishStart = resolve)).then(() => start('late')));
    throw new Error('the second does not start');
  };
  await expect(setUp(build)).rejects.toThrow('the second does not start');
  expect(stopped).toEqual(['first']);
  finishStart();
  await late;
  expect(stopped).toEqual(['first', 'late']);
});

it('stops the others if one cannot be stopped, and throws its error', async () => {
  const { stopped, start } = parts();
  const stage = await setUp(async (teardown) => {
    await teardown.use(start('first'));
    teardown.defer(() => Promise.reject(new Error('a connection was left open')));
    await teardown.use(start('last'));
    return {};
  });
  await expect(stage.tearDown()).rejects.toThrow('a connection was left open');
  expect(stopped).toEqual(['last', 'first']);
});
