import type { Command } from 'commander';
import type { ProviderSchedules, ScheduleSummary, ScheduleTimes } from '../../client/provider-schedules.js';
import { withTemporal } from '../connections.js';
import { line, type Output } from '../terminal/output.js';

const AFTER_HELP = `
Schedules:
  rotate-due  rotates each provider whose interval (see rotate-every) has passed
              and whose next credential was stored (rotate --when-due) or can be
              issued by its service; reports the others once, by an event
  check       asks the live services about every stored credential

They run in a worker that has PROVIDER_MANAGER_DATABASE_URL.`;

/** The commands that change an existing schedule. */
const CHANGES = [
  { name: 'pause', done: 'paused', summary: 'start no runs until the schedule is resumed' },
  { name: 'resume', done: 'resumed', summary: 'start runs again' },
  { name: 'trigger', done: 'triggered', summary: 'start a run now' },
  { name: 'delete', done: 'deleted', summary: 'delete the schedule; a run in progress continues' },
] as const;

export function addSchedules(program: Command, output: Output): void {
  const schedules = program
    .command('schedules')
    .helpCommand(false)
    .summary('create and change the schedules of rotations and checks')
    .description('Creates, lists, pauses, triggers and deletes the Temporal Schedules of this package.')
    .addHelpText('after', AFTER_HELP);

  schedules
    .command('list')
    .summary('list the schedules and their last runs')
    .description('Lists the schedules that were created, with their last runs.')
    .action(async () => {
      const listed = await withSchedules((client) => client.list());
      const none = line('unsure', 'empty', ['no schedule was created']);
      output.result({ schedules: listed }, listed.length > 0 ? listed.map(toLine) : [none]);
    });

  schedules
    .command('create <schedule>')
    .summary('create a schedule, or change when it runs')
    .description('Creates a schedule, or changes when it runs. By default rotate-due runs every hour, check every day.')
    .option('--every <duration>', 'the time between runs: 30m, 6h, 1d')
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

function withSchedules<Result>(use: (client: ProviderSchedules) => Promise<Result>): Promise<Result> {
  return withTemporal(async ({ client, operationsTaskQueue }) => {
    const { ProviderSchedules } = await import('../../client/provider-schedules.js');
    return use(new ProviderSchedules(client, operationsTaskQueue));
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
