/**
 * Creates, lists, pauses, triggers and deletes the Temporal Schedules of this package. There are two, known by name,
 * each once per namespace. They start ordinary workflows on the operations task queue.
 */
import {
  type Client,
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { DURATION_RULE, type Duration, formatDuration, parseDuration } from '../config/duration.js';
import { ProviderError } from '../protocol/errors.js';
import { OPERATIONS_TASK_QUEUE } from '../protocol/rotation.js';
import {
  CHECK_PROVIDERS,
  type CheckTotals,
  ROTATE_DUE_PROVIDERS,
  type RotateDueTotals,
  SCHEDULE_ID_PREFIX,
} from '../protocol/schedules.js';

/** `rotate-due` rotates what is due; `check` asks the services about every active credential. */
export type ScheduleName = 'rotate-due' | 'check';

const SCHEDULES = {
  'rotate-due': { workflow: ROTATE_DUE_PROVIDERS, every: '1h' },
  check: { workflow: CHECK_PROVIDERS, every: '1d' },
} as const satisfies Record<ScheduleName, unknown>;

/** When a schedule runs. Set one of the two fields. Default: `rotate-due` every hour, `check` every day. */
export interface ScheduleTimes {
  /** The time between runs, from `1m` to `366d`. */
  readonly every?: Duration;
  /** A cron expression in UTC, `0 3 * * *`, or with `CRON_TZ=Europe/Zurich` before it. */
  readonly cron?: string;
}

export interface ScheduleRun {
  readonly workflowId: string;
  readonly startedAt: Date;
  /** Temporal's status: `RUNNING`, `COMPLETED`, `FAILED`, …; `UNKNOWN` if Temporal does not keep the run any more. */
  readonly status: string;
  /** The totals of a completed run. */
  readonly totals?: RotateDueTotals | CheckTotals;
}

export interface ScheduleSummary {
  readonly name: ScheduleName;
  readonly scheduleId: string;
  /** `every 1h`, or a cron expression. */
  readonly times: string;
  readonly paused: boolean;
  /** Why it was paused or resumed. */
  readonly note?: string;
  readonly nextRunAt?: Date;
  readonly lastRun?: ScheduleRun;
}

/** A run that was missed while Temporal was unavailable starts late, if it was due within this time. */
const CATCHUP_WINDOW = '10 minutes';
const SHORTEST: Duration = '1m';
const LONGEST: Duration = '366d';
const CRON_RULE = 'must be a cron expression of five fields, such as 0 3 * * *';
/** Fields of digits, names and `*,-/`, with a time zone before them. */
const CRON = /^[\w *,/=+-]{1,100}$/;

/**
 * Creates and changes the two schedules. Each method that takes a name throws ProviderError `ProviderConfigInvalid` if
 * the name is unknown, and, except `create`, `SetupInvalid` if the schedule does not exist.
 */
export class ProviderSchedules {
  constructor(
    private readonly temporal: Client,
    private readonly taskQueue: string = OPERATIONS_TASK_QUEUE,
  ) {}

  /**
   * Creates the schedule, or changes when an existing one runs. A paused schedule stays paused.
   *
   * @throws ProviderError `ProviderConfigInvalid` if `times` are not valid
   */
  async create(name: string, times: ScheduleTimes = {}): Promise<'created' | 'changed'> {
    const known = checkName(name);
    const { workflow: workflowType, every } = SCHEDULES[known];
    const schedule = {
      spec: toSpec((times.every ?? times.cron) ? times : { every }),
      action: { type: 'startWorkflow', workflowType, workflowId: idOf(known), taskQueue: this.taskQueue, args: [{}] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW, pauseOnFailure: false },
    } as const;
    try {
      if (await this.#describe(known)) {
        await this.#handle(known).update(({ state }) => ({ ...schedule, state }));
        return 'changed';
      }
      await this.temporal.schedule.create({ scheduleId: idOf(known), ...schedule });
      return 'created';
    } catch (error) {
      // Temporal's client throws this if the server refuses the expression.
      throw error instanceof TypeError ? invalidTimes('cron', CRON_RULE) : error;
    }
  }

  /** Lists the schedules that were created. */
  async list(): Promise<ScheduleSummary[]> {
    const names = Object.keys(SCHEDULES) as ScheduleName[];
    const summaries = await Promise.all(
      names.map(async (name) => {
        const description = await this.#describe(name);
        return description && this.#summarize(name, description);
      }),
    );
    return summaries.filter((summary) => summary !== undefined);
  }

  /** Pauses the schedule. A run in progress continues. */
  pause(name: string, note?: string): Promise<void> {
    return this.#change(name, (handle) => handle.pause(note));
  }

  resume(name: string, note?: string): Promise<void> {
    return this.#change(name, (handle) => handle.unpause(note));
  }

  /** Starts a run now, paused or not, unless a run is in progress. */
  trigger(name: string): Promise<void> {
    return this.#change(name, (handle) => handle.trigger());
  }

  /** Deletes the schedule. A run in progress continues. */
  delete(name: string): Promise<void> {
    return this.#change(name, (handle) => handle.delete());
  }

  #handle(name: ScheduleName): ScheduleHandle {
    return this.temporal.schedule.getHandle(idOf(name));
  }

  async #change(name: string, change: (handle: ScheduleHandle) => Promise<void>): Promise<void> {
    const known = checkName(name);
    try {
      await change(this.#handle(known));
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      const message = `the schedule ${known} does not exist: run workspace-providers schedules create ${known}`;
      throw new ProviderError('SetupInvalid', message, { fields: ['schedule'] });
    }
  }

  async #describe(name: ScheduleName): Promise<ScheduleDescription | undefined> {
    try {
      return await this.#handle(name).describe();
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return undefined;
      throw error;
    }
  }

  async #summarize(name: ScheduleName, { spec, state, info }: ScheduleDescription): Promise<ScheduleSummary> {
    const every = spec.intervals?.[0]?.every;
    const last = info.recentActions.at(-1);
    return {
      name,
      scheduleId: idOf(name),
      times:
        every === undefined
          ? spec.calendars?.[0]?.comment || 'set by another program'
          : `every ${formatDuration(every)}`,
      paused: state.paused,
      ...(state.note && { note: state.note }),
      ...(!state.paused && { nextRunAt: info.nextActionTimes[0] }),
      ...(last && { lastRun: await this.#run(last.action.workflow.workflowId, last.takenAt) }),
    };
  }

  /** Reads the run, also if it continued as new. */
  async #run(workflowId: string, startedAt: Date): Promise<ScheduleRun> {
    const handle = this.temporal.workflow.getHandle(workflowId);
    const description = await handle.describe().catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    });
    const status = description?.status.name ?? 'UNKNOWN';
    if (status !== 'COMPLETED') return { workflowId, startedAt, status };
    return { workflowId, startedAt, status, totals: (await handle.result()) as RotateDueTotals | CheckTotals };
  }
}

function checkName(name: string): ScheduleName {
  if (Object.hasOwn(SCHEDULES, name)) return name as ScheduleName;
  throw ProviderError.configInvalid('schedule', `must be one of ${Object.keys(SCHEDULES).join(', ')}`);
}

function idOf(name: ScheduleName): string {
  return `${SCHEDULE_ID_PREFIX}/${name}`;
}

function toSpec({ every, cron }: ScheduleTimes): ScheduleSpec {
  if (every !== undefined && cron !== undefined)
    throw invalidTimes('every', 'and cron exclude each other: set one of them');
  if (cron !== undefined) {
    if (!CRON.test(cron)) throw invalidTimes('cron', CRON_RULE);
    // Temporal keeps the parsed times and the comment, but not the expression: the comment repeats it.
    return { cronExpressions: [`${cron} # ${cron}`] };
  }
  const ms = parseDuration(every ?? '') ?? Number.NaN;
  if (!(ms >= Number(parseDuration(SHORTEST)) && ms <= Number(parseDuration(LONGEST)))) {
    throw invalidTimes('every', `must be ${DURATION_RULE}, from ${SHORTEST} to ${LONGEST}`);
  }
  return { intervals: [{ every: ms }] };
}

function invalidTimes(field: 'every' | 'cron', rule: string): ProviderError {
  return ProviderError.configInvalid(field, rule);
}
