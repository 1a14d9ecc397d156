import { afterAll, beforeAll } from 'vitest';
import { setUp, type Teardown, type TornDown } from '../../testbed/teardown.js';

/** Builds a stage before the first test of a file, and tears it down after the last. Tests and hooks see its parts. */
export function useStage<Parts extends object>(build: (teardown: Teardown) => Promise<Parts>): Parts {
  const parts = {} as Parts;
  let stage: TornDown | undefined;
  beforeAll(async () => {
    stage = Object.assign(parts, await setUp(build));
  });
  afterAll(() => stage?.tearDown());
  return parts;
}
