/** Follows a rotation as an operator does: by its query, told in the lines of the CLI. */
import { setTimeout as delay } from 'node:timers/promises';
import { line } from '../src/cli/terminal/output.js';
import { type StageLine, stagesOf } from '../src/cli/terminal/rotation-lines.js';
import type { RotationHandle } from '../src/client/rotation-client.js';
import { ROTATION_STATUS, type RotationStatus } from '../src/protocol/rotation.js';

const POLL_MS = 50;

export class RotationWatch {
  #hasEnded = false;
  readonly #told = new Set<string>();

  constructor(
    private readonly handle: RotationHandle,
    private readonly tell: (line: string) => void,
  ) {
    const end = () => {
      this.#hasEnded = true;
    };
    handle.result().then(end, end);
  }

  /** @returns the first status of which that is so; where there is none, the last. Default: the last */
  async until(isSo: (status: RotationStatus) => boolean = () => false): Promise<RotationStatus> {
    for (;;) {
      const wasLast = this.#hasEnded;
      const status = await this.handle.query<RotationStatus, []>(ROTATION_STATUS);
      this.#tellPassed(status);
      if (wasLast || isSo(status)) return status;
      await delay(POLL_MS);
    }
  }

  /** What it is at. */
  tellRunning(status: RotationStatus): void {
    this.#tell(stagesOf(status).filter(({ mark }) => mark === 'running'));
  }

  /** Each stage once. */
  #tellPassed(status: RotationStatus): void {
    const passed = stagesOf(status).filter(({ mark, verb }) => mark !== 'running' && !this.#told.has(verb));
    for (const { verb } of passed) this.#told.add(verb);
    this.#tell(passed);
  }

  #tell(stages: readonly StageLine[]): void {
    for (const { mark, verb, facts } of stages) this.tell(line(mark, verb, facts));
  }
}
