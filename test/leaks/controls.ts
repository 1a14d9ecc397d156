/** A deliberate leak into each surface. If the search does not find it, it does not search that surface. */
import { once } from 'node:events';
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { withSession } from '../../src/store/session.js';
import { until, type Workers } from './agents.js';
import type { ProcWatch } from './parts/proc-watch.js';
import { failingWorkspace } from './providers.js';
import { QUEUES, type Stage } from './stage.js';
import type { Told } from './told.js';
import type { LeakOrder } from './user-worker.js';
import type { controlModel, ModelControl } from './user-workflows.js';

/** The places where a leak may be written. */
export const SURFACES = {
  histories: 'encoded histories',
  pending: 'pending activities and descriptions',
  visibility: 'visibility and memos',
  temporalFile: "Temporal's database file",
  temporalRows: "the rows of Temporal's database",
  temporalOutput: "Temporal's output",
  postgresData: "Postgres's data folder",
  postgresWal: "Postgres's write-ahead log",
  postgresLog: "Postgres's server log",
  output: 'output of processes',
  jsonLogs: 'JSON logs',
  spans: 'spans',
  spansOfUndici: 'spans of the instrumentation of undici',
  spansOfHttp: 'spans of the instrumentation of http',
  debugOfUndici: 'debug output of undici',
  debugOfHttp: 'debug output of http',
  debugOfNet: 'debug output of net and tls',
  told: 'results and errors of callers',
  metrics: "metrics of Temporal's core",
  metricsPage: 'the page of metrics',
  commandLines: 'command lines',
  environments: 'environments',
  reports: 'diagnostic reports',
  folders: 'working and temporary folders',
} as const;

export type Surface = (typeof SURFACES)[keyof typeof SURFACES];

export interface Leaked {
  readonly watch: ProcWatch;
  readonly told: Told;
}

export async function leakOnPurpose(stage: Stage, { user }: Workers, { watch, told }: Leaked): Promise<void> {
  const control = (surface: Surface) => stage.canaries.control(surface);
  const { client, postgres, processes, folder } = stage;
  const workflow = { taskQueue: QUEUES.user };

  const inputs = [SURFACES.histories, SURFACES.temporalFile, SURFACES.temporalRows].map(control);
  await client.workflow.execute('control', { ...workflow, workflowId: 'control-history', args: [inputs] });
  const memo = { leak: control(SURFACES.visibility) };
  await client.workflow.execute('control', { ...workflow, workflowId: 'control-memo', args: [[]], memo });
  const args = [control(SURFACES.pending)];
  const pending = await client.workflow.start('controlPending', { ...workflow, workflowId: 'control-pending', args });
  await until(
    async () => ((await pending.describe()).raw.pendingActivities ?? []).some(({ lastFailure }) => lastFailure),
    'the failure of the control',
  );

  await withSession(postgres.url, async (session) => {
    await session.query('create table leak_control (leak text)');
    // A parameter would only be in the log; this text is in a row.
    await session.query(`insert into leak_control values ('${control(SURFACES.postgresData)}')`);
    await session.query(`select pg_logical_emit_message(false, 'control', '${control(SURFACES.postgresWal)}')`);
    await session.query(`select '${control(SURFACES.postgresLog)}'`);
  });

  const reportFile = join(folder, 'processes', 'report.json');
  const url = (surface: Surface) => `${stage.echo.base('works')}/rpc/1/${encodeURIComponent(control(surface))}`;
  const order: LeakOrder = {
    ...{ print: control(SURFACES.output), metric: control(SURFACES.metrics), report: control(SURFACES.reports) },
    ...{ socketPath: control(SURFACES.debugOfNet), reportFile },
    undiciUrls: [SURFACES.spansOfUndici, SURFACES.debugOfUndici].map(url),
    httpUrls: [SURFACES.debugOfHttp, SURFACES.spansOfHttp].map(url), // only a new connection is in the debug output
  };
  const answered = once(user, 'message');
  user.send(order);
  await answered;

  const { seen } = watch;
  const [argument, variable] = [control(SURFACES.commandLines), control(SURFACES.environments)];
  await processes.idler([argument], { LEAK: variable });
  const isSeen = (texts: ReadonlySet<string>, leak: string) => [...texts].some((text) => text.includes(leak));
  await until(
    async () => isSeen(seen.commandLines, argument) && isSeen(seen.environments, variable),
    'the control process to be seen',
  );

  const temporalLogs = await logsOfTemporal(stage);
  // Temporal logs no text of ours, so the line is appended to its log.
  await appendFile(temporalLogs[0] as string, `${control(SURFACES.temporalOutput)}\n`);
  await writeFile(join(folder, 'processes', 'left-behind.gz'), gzipSync(`{"leak":"${control(SURFACES.folders)}"}`));
  told.error('control', new Error(`refused: ${control(SURFACES.told)}`));
}

/** Needs the first root key. The id of a model is a name, so spans and metrics have it; the log of a failed step has the id of its workflow. */
export async function leakIntoTelemetry({ canaries, grants }: Stage): Promise<void> {
  const workspaceId = failingWorkspace('json-404');
  const { workflow } = grants.clientFor(workspaceId);
  for (const { workflowId, model, stepsOn } of [
    { workflowId: 'control-span', model: canaries.control(SURFACES.spans), stepsOn: QUEUES.user },
    {
      workflowId: canaries.control(SURFACES.jsonLogs),
      model: canaries.control(SURFACES.metricsPage),
      stepsOn: QUEUES.agents,
    },
  ]) {
    const args: [ModelControl] = [{ workspaceId, model, stepsOn }];
    await workflow.execute('controlModel' satisfies typeof controlModel.name, {
      ...{ taskQueue: QUEUES.user, workflowId, args },
    });
  }
}

/** Temporal's logs are in its own folder inside the temporary folder. */
export async function logsOfTemporal({ folder }: Stage): Promise<string[]> {
  const temporary = join(folder, 'tmp');
  const folders = (await readdir(temporary)).filter((name) => name.startsWith('workspace-providers-temporal-'));
  return folders.map((name) => join(temporary, name, 'server.log'));
}
