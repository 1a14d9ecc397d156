/** The rules by which a rotation counts as abandoned (`src/management/abandoned-rotations.ts`). */
import type { AbandonedParts } from '../../../src/management/abandoned-rotations.js';
import type { RotationRun } from '../../../src/protocol/rotation.js';
import { PROVIDER } from './rule-worker.js';
import type { Rule, RuleParts } from './rules.js';

/** What Temporal and Postgres say of one provider's rotations. */
export interface FakeTemporal {
  /** Called for each question, so that something can happen between two of them. */
  find(): RotationRun;
  openRotation(): string | undefined;
  /** How long ago that rotation ended; `undefined` if it has not. */
  endedAgoMs(rotationId: string): number | undefined;
  terminates: boolean;
}

interface Outcome {
  readonly running: boolean;
  readonly abandoned: readonly string[];
  readonly terminated: readonly string[];
}

const OPEN: FakeTemporal = {
  find: () => ({ state: 'none' }),
  openRotation: () => 'open',
  endedAgoMs: () => undefined,
  terminates: true,
};

async function outcomeOf({ endAbandoned, seen }: RuleParts, temporal: FakeTemporal): Promise<Outcome> {
  const { find, openRotation, endedAgoMs, terminates } = seen(temporal);
  const abandoned: string[] = [];
  const terminated: string[] = [];
  const readRotation = async (rotationId: string) => {
    const agoMs = endedAgoMs(rotationId);
    return { endedAt: agoMs === undefined ? undefined : new Date(Date.now() - agoMs) };
  };
  const parts = {
    store: { findOpenRotation: async () => openRotation(), readRotation, listOpenRotations: async () => [] },
    rotations: { abandon: async (rotationId: string) => void abandoned.push(rotationId) },
    runs: {
      find: async () => find(),
      terminate: async (_id: string, runId: string) => void (terminates && terminated.push(runId)),
    },
  };
  const { running } = await endAbandoned(PROVIDER, parts as unknown as AbandonedParts);
  return { running, abandoned, terminated };
}

const check =
  (temporal: () => FakeTemporal, expected: Outcome): Rule['check'] =>
  async (_database, parts) => {
    const outcome = await outcomeOf(parts, temporal());
    const isSo = JSON.stringify(outcome) === JSON.stringify(expected);
    return isSo ? undefined : `${JSON.stringify(outcome)} in place of ${JSON.stringify(expected)}`;
  };

const RUNS: Outcome = { running: true, abandoned: [], terminated: [] };

export const ROTATION_RULES: Readonly<Record<string, Rule>> = {
  'a rotation whose workflow is gone is ended': {
    check: check(() => OPEN, { running: false, abandoned: ['open'], terminated: [] }),
    mutants: {
      'a rotation whose workflow is gone counts as running': {
        parts: { seen: (real) => ({ ...real, find: () => ({ state: 'rotation', runId: 'run', rotationId: 'open' }) }) },
      },
    },
  },
  'a rotation that begins while it is looked for is not ended': {
    check: check(() => {
      let questions = 0;
      return {
        ...OPEN,
        openRotation: () => (++questions > 1 ? 'new' : undefined),
        find: () => (++questions > 1 ? { state: 'rotation', runId: 'run', rotationId: 'new' } : { state: 'none' }),
      };
    }, RUNS),
    mutants: {
      'Temporal is asked before Postgres': {
        parts: {
          seen(real) {
            let answer: RotationRun = { state: 'none' };
            const openRotation = () => {
              answer = real.find();
              return real.openRotation();
            };
            return { ...real, openRotation, find: () => answer };
          },
        },
      },
    },
  },
  'a rotation whose worker does not answer is not ended': {
    check: check(() => ({ ...OPEN, find: () => ({ state: 'rotation', runId: 'run' }) }), RUNS),
    mutants: {
      'a run that does not answer counts as gone': {
        parts: {
          seen: (real) => ({
            ...real,
            find() {
              const run = real.find();
              return run.state === 'rotation' && run.rotationId === undefined ? { state: 'none' } : run;
            },
          }),
        },
      },
    },
  },
  'a workflow that is closing is left alone': {
    check: check(
      () => ({
        ...OPEN,
        openRotation: () => undefined,
        find: () => ({ state: 'rotation', runId: 'run', rotationId: 'ended' }),
        endedAgoMs: () => 1_000,
      }),
      RUNS,
    ),
    mutants: {
      'a workflow may not take a moment to close': {
        parts: { seen: (real) => ({ ...real, endedAgoMs: () => Number.MAX_SAFE_INTEGER / 1_000 }) },
      },
    },
  },
  'a reset that brought back an ended rotation is terminated, and the one that it ended too': {
    check: check(
      () => ({
        ...OPEN,
        find: () => ({ state: 'rotation', runId: 'run', rotationId: 'ended' }),
        endedAgoMs: (rotationId) => (rotationId === 'ended' ? 1_000 : undefined),
      }),
      { running: false, abandoned: ['open'], terminated: ['run'] },
    ),
    mutants: {
      'a run that a reset brought back goes on': { parts: { seen: (real) => ({ ...real, terminates: false }) } },
      'a rotation that has ended counts as running': {
        parts: { seen: (real) => ({ ...real, endedAgoMs: () => undefined }) },
      },
    },
  },
};
