/** Follows a rotation as an operator does: it queries the status, and prints the lines of the CLI. */
import { setTimeout as delay } from 'node:timers/promises';
import { line } from '../src/cli/terminal/output.js';
import { type StageLine, stagesOf } from '../src/cli/terminal/rotation-lines.js';
import type { RotationHandle } from '../src/client/rotation-client.js';
import { ROTATION_STATUS, type RotationStatus } from '../src/protocol/rotation.js';

const POLL_MS = 50;

export class RotationWatch {
  #hasEnded = false;
  readonly #printed = new Set<string>();

  constructor(
    private readonly handle: RotationHandle,
    private readonly print: (line: string) => void,
  ) {
    const end = () => {
      this.#hasEnded = true;
    };
    handle.result().then(end, end);
  }

  /** @returns the first status for which `isSo` is true, or the last one if there is none. Default: the last status. */
  async until(isSo: (status: RotationStatus) => boolean = () => false): Promise<RotationStatus> {
    for (;;) {
      const wasLast = this.#hasEnded;
      const status = await this.handle.query<RotationStatus, []>(ROTATION_STATUS);
      this.#printPassed(status);
      if (wasLast || isSo(status)) return status;
      await delay(POLL_MS);
    }
  }

  /** Prints the stage that runs. */
  printRunning(status: RotationStatus): void {
    this.#print(stagesOf(status).filter(({ mark }) => mark === 'running'));
  }

  /** Prints the stages that have passed, each once. */
  #printPassed(status: RotationStatus): void {
    const passed = stagesOf(status).filter(({ mark, verb }) => mark !== 'running' && !this.#printed.has(verb));
    for (const { verb } of passed) this.#printed.add(verb);
    this.#print(passed);
  }

  #print(stages: readonly StageLine[]): void {
    for (const { mark, verb, facts } of stages) this.print(line(mark, verb, facts));
  }
}
