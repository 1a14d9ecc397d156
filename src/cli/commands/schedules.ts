import type { Command } from 'commander';
import type { ScheduleClient, ScheduleSummary, ScheduleTimes } from '../../client/schedule-client.js';
import { line, type Output } from '../output.js';
import { withTemporal } from '../with-temporal.js';

const AFTER_HELP = `
Schedules:
  rotate-due  rotates each provider whose interval (see rotate-every) has passed
              and whose next credential is staged or can be made by its service;
              of the others a person is told by an event, once
  check       asks the live services about every stored credential

Runs take place on the worker of operations, which has a login of its own.`;

/** What a command does to a schedule that is there. */
const CHANGES = [
  { name: 'pause', done: 'paused', summary: 'no more runs until it is resumed' },
  { name: 'resume', done: 'resumed', summary: 'runs again from its next time on' },
  { name: 'trigger', done: 'triggered', summary: 'run it now' },
  { name: 'delete', done: 'deleted', summary: 'delete it; a run under way goes on' },
] as const;

export function addSchedules(program: Command, output: Output): void {
  const schedules = program
    .command('schedules')
    .helpCommand(false)
    .summary('what runs by itself: rotations that are due, checks')
    .description('Creates, shows, pauses, triggers and deletes the Temporal Schedules of this package.')
    .addHelpText('after', AFTER_HELP);

  schedules
    .command('list')
    .summary('those that were created, with their last runs')
    .description('Lists the schedules that were created, with their last runs.')
    .action(async () => {
      const listed = await withSchedules((client) => client.list());
      const none = line('unsure', 'empty', ['no schedule was created']);
      output.result({ schedules: listed }, listed.length > 0 ? listed.map(toLine) : [none]);
    });

  schedules
    .command('create <schedule>')
    .summary('create it, or change when it runs')
    .description('Creates a schedule, or changes when it runs. By default rotate-due runs every hour, check every day.')
    .option('--every <duration>', 'minutes, hours or days: 30m, 6h, 1d')
    .option('--cron <expression>', 'such as "0 3 * * *", in UTC')
    .action(async (schedule: string, times: ScheduleTimes) => {
      const done = await withSchedules((client) => client.create(schedule, times));
      output.result({ schedule, outcome: done }, [line('ok', done, [schedule])]);
    });

  for (const { name: change, done, summary } of CHANGES) {
    schedules
      .command(`${change} <schedule>`)
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .action(async (schedule: string) => {
        await withSchedules((client) => client[change](schedule));
        output.result({ schedule, outcome: done }, [line('ok', done, [schedule])]);
      });
  }
}

function withSchedules<Result>(use: (client: ScheduleClient) => Promise<Result>): Promise<Result> {
  return withTemporal(async ({ client, operationsTaskQueue }) => {
    const { ScheduleClient } = await import('../../client/schedule-client.js');
    return use(new ScheduleClient(client, operationsTaskQueue));
  });
}

function toLine({ name, times, paused, note, nextRunAt, lastRun }: ScheduleSummary): string {
  const totals = Object.entries(lastRun?.totals ?? {}).map(([what, count]) => `${what} ${count}`);
  return line(paused ? 'unsure' : 'ok', paused ? 'paused' : 'scheduled', [
    name,
    times,
    note,
    nextRunAt && `next ${nextRunAt.toISOString()}`,
    lastRun ? `last ${lastRun.startedAt.toISOString()} ${lastRun.status.toLowerCase()}` : 'never run',
    totals.join(', '),
  ]);
}
