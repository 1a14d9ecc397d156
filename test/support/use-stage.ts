import { afterAll, beforeAll } from 'vitest';
import { type OnStrike, type Struck, setStage } from '../../testbed/stage.js';

/** Sets a stage before the first test of a file and strikes it after the last. Its parts are known in tests and hooks. */
export function useStage<Parts extends object>(build: (onStrike: OnStrike) => Promise<Parts>): Parts {
  const parts = {} as Parts;
  let stage: Struck | undefined;
  beforeAll(async () => {
    stage = Object.assign(parts, await setStage(build));
  });
  afterAll(() => stage?.strike());
  return parts;
}
