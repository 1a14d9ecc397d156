/**
 * A short fault run; `npm run test:faults` runs a long one. The tests of the checker show that it finds each kind of
 * error. `FAULT_LEASE=never-ends FAULT_KINDS=stoppedForLong npm run test:faults` breaks the real workers and must end
 * with 1. It is not a test, because it only finds something if a change happens during a stop.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const START = fileURLToPath(new URL('start.js', import.meta.url));
const TIMEOUT_MS = 240_000;

/** Some of each family. `npm run test:faults` has all kinds. */
const KINDS = 'stoppedForLong,stoppedInLoad,stoppedInRenewal,killed,cut,heldAndDelivered,postgresCrashed,clockJumped';

/** The fault run ends with this process, even if this process is killed, because it reads our pipe. */
async function runFaults(settings: Readonly<Record<string, string>>) {
  const { PATH = '', HOME = '', LIBFAKETIME_PATH } = process.env;
  const env = { PATH, HOME, ...(LIBFAKETIME_PATH && { LIBFAKETIME_PATH }), ...settings };
  const child = spawn(process.execPath, [START], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const exited = once(child, 'exit');
  const [output, progress] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  const [exitCode] = (await exited) as [number];
  if (output === '') throw new Error(`The fault run ended with ${exitCode} and no verdict:\n${progress}`);
  const lines = output.trim().split('\n');
  return { exitCode, findings: lines.slice(0, -1), outcome: JSON.parse(lines.at(-1) ?? '') };
}

test(
  'no read is stale and every rotation ends while processes, connections and clocks fail',
  async () => {
    const { exitCode, findings, outcome } = await runFaults({ FAULT_SECONDS: '15', FAULT_KINDS: KINDS });
    expect(findings).toEqual([]);
    expect(outcome).toMatchObject({ stale: 0, backwards: 0, lost: 0 });
    expect(outcome.reads).toBeGreaterThan(0);
    expect(outcome.rotations).toBeGreaterThan(0);
    expect(outcome.longSteps.requests).toBeGreaterThan(0);
    expect(exitCode).toBe(0);
  },
  TIMEOUT_MS,
);
