/**
 * The Temporal Schedules of this package: created, shown, paused, triggered, deleted. There are two, known by name, one
 * each a namespace; what they run is the same workflows as ever, on the queue of operations.
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
import { ProviderError } from '../protocol/errors.js';
import { OPERATIONS_TASK_QUEUE } from '../protocol/rotation.js';
import { type CheckTotals, ROTATES_DUE, type RotateDueTotals } from '../protocol/schedules.js';

const SCHEDULES = {
  'rotate-due': { workflow: ROTATES_DUE, every: '1h' },
  check: { workflow: 'checkProviders', every: '1d' },
} as const;

export type ScheduleName = keyof typeof SCHEDULES;

/** When it runs: one of both. Default: every hour what is due is rotated, every day what is stored is checked. */
export interface ScheduleTimes {
  /** `30m`, `6h`, `1d`: from a minute to a year. */
  readonly every?: string;
  /** `0 3 * * *`, in UTC; or with `CRON_TZ=Europe/Zurich` before it. */
  readonly cron?: string;
}

export interface ScheduleRun {
  readonly workflowId: string;
  readonly startedAt: Date;
  /** As Temporal calls it: `RUNNING`, `COMPLETED`, `FAILED`, …; `UNKNOWN` where Temporal does not keep it any more. */
  readonly status: string;
  /** Once it has completed. */
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

/** A run that was missed while Temporal was away is made up for if it was due within this time. */
const CATCHUP_WINDOW = '10 minutes';
const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const LONGEST_MS = 366 * UNITS_MS.d;
/** Fields of digits, names and `*,-/`, with a time zone before them. */
const CRON = /^[\w *,/=+-]{1,100}$/;

/** Each method throws ProviderError `ProviderConfigInvalid` for a name that is none, and where it was not created. */
export class ScheduleClient {
  constructor(
    private readonly temporal: Client,
    private readonly taskQueue: string = OPERATIONS_TASK_QUEUE,
  ) {}

  /**
   * Creates the schedule, or changes when the one that is there runs; one that is paused stays so.
   *
   * @throws ProviderError `ProviderConfigInvalid` for times that do not fit
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
      // As Temporal's client says that the server did not like the expression.
      throw error instanceof TypeError ? invalidTimes('cron') : error;
    }
  }

  /** Those that were created. */
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

  /** A run under way goes on. */
  pause(name: string, note?: string): Promise<void> {
    return this.#change(name, (handle) => handle.pause(note));
  }

  resume(name: string, note?: string): Promise<void> {
    return this.#change(name, (handle) => handle.unpause(note));
  }

  /** Runs it now, paused or not; not beside a run that is under way. */
  trigger(name: string): Promise<void> {
    return this.#change(name, (handle) => handle.trigger());
  }

  /** A run under way goes on. */
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
      const message = `the schedule ${known} was not created: workspace-providers schedules create ${known}`;
      throw new ProviderError('ProviderConfigInvalid', message, { fields: ['schedule'] });
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
      times: every === undefined ? spec.calendars?.[0]?.comment || 'as set elsewhere' : `every ${inUnits(every)}`,
      paused: state.paused,
      ...(state.note && { note: state.note }),
      ...(!state.paused && { nextRunAt: info.nextActionTimes[0] }),
      ...(last && { lastRun: await this.#run(last.action.workflow.workflowId, last.takenAt) }),
    };
  }

  /** Through all histories that the run continued in. */
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
  const message = `no such schedule; there are ${Object.keys(SCHEDULES).join(', ')}`;
  throw new ProviderError('ProviderConfigInvalid', message, { fields: ['schedule'] });
}

function idOf(name: ScheduleName): string {
  return `workspace-providers/${name}`;
}

function toSpec({ every, cron }: ScheduleTimes): ScheduleSpec {
  if (every !== undefined && cron !== undefined) throw invalidTimes('every', 'either every or cron, not both');
  if (cron !== undefined) {
    if (!CRON.test(cron)) throw invalidTimes('cron');
    // Temporal keeps what it understood, and of the expression itself the comment alone.
    return { cronExpressions: [`${cron} # ${cron}`] };
  }
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(every ?? '') ?? [];
  const ms = Number(amount) * (UNITS_MS[unit as keyof typeof UNITS_MS] ?? Number.NaN);
  if (!(ms >= UNITS_MS.m && ms <= LONGEST_MS)) {
    throw invalidTimes('every', 'every must be minutes, hours or days, such as 30m, 6h or 1d, up to a year');
  }
  return { intervals: [{ every: ms }] };
}

function invalidTimes(field: 'every' | 'cron', message = 'cron is no cron expression that Temporal takes') {
  return new ProviderError('ProviderConfigInvalid', message, { fields: [field] });
}

function inUnits(everyMs: number): string {
  const [unit = 'm', ms] = Object.entries(UNITS_MS).findLast(([, unitMs]) => everyMs % unitMs === 0) ?? ['m', 60_000];
  return `${everyMs / ms}${unit}`;
}
