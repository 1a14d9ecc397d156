/** Searches everything that was written: first what running servers return, and then, after their end, the files. */
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import proto from '@temporalio/proto';
import { logsOfTemporal, SURFACES, type Surface } from './controls.js';
import type { Seen } from './parts/proc-watch.js';
import type { Search } from './parts/search.js';
import { DEBUG_OUTPUT, JSON_LOG } from './processes.js';
import { SPANS_EXTENSION, spansFile } from './spans-file.js';
import type { Stage } from './stage.js';
import type { Told } from './told.js';

const { History } = proto.temporal.api.history.v1;
const { DescribeWorkflowExecutionResponse, ListWorkflowExecutionsResponse } = proto.temporal.api.workflowservice.v1;

/** Prints each value of each row, because the file cuts a long value into pages. */
const ROWS = `
import sqlite3, sys
database = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
database.text_factory = bytes
for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
    for row in database.execute('select * from "%s"' % table.decode()):
        for value in row:
            if isinstance(value, (bytes, str)):
                sys.stdout.buffer.write(value if isinstance(value, bytes) else value.encode())
                sys.stdout.buffer.write(b"\\n")
`;

/** What only a running server returns, kept until every secret is known. */
export interface Collected {
  readonly surface: Surface;
  readonly source: string;
  readonly bytes: Uint8Array;
}

export async function collectFromServers(stage: Stage, told: Told): Promise<Collected[]> {
  const { client, ports } = stage;
  const collected: Collected[] = [];
  const keep = (surface: Surface, source: string, bytes: Uint8Array) => collected.push({ surface, source, bytes });
  const namespace = 'default';
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.listWorkflowExecutions({ namespace, nextPageToken, query: '' });
    keep(SURFACES.visibility, 'a page of the list', ListWorkflowExecutionsResponse.encode(page).finish());
    for (const { execution } of page.executions ?? []) {
      const { workflowId = '', runId = '' } = execution ?? {};
      const handle = client.workflow.getHandle(workflowId as string, runId as string);
      const [history, { raw }] = await Promise.all([handle.fetchHistory(), handle.describe()]);
      keep(SURFACES.histories, workflowId as string, History.encode(history).finish());
      keep(SURFACES.pending, workflowId as string, DescribeWorkflowExecutionResponse.encode(raw).finish());
    }
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken);
  for (const [surface, source, port] of [
    [SURFACES.metrics, "the endpoint of the platform's own worker", ports.core],
    [SURFACES.metricsPage, "the page of the platform's own worker", ports.userPage],
    [SURFACES.metricsPage, 'the page of the packaged worker', ports.agentsPage],
  ] as const) {
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`);
    keep(surface, source, Buffer.from(await metrics.arrayBuffer()));
  }
  keep(SURFACES.told, 'this process', Buffer.from(told.text));
  return collected;
}

export function searchCollected(search: Search, collected: readonly Collected[], seen: Seen): void {
  for (const { bytes, ...place } of collected) search.bytes(bytes, place);
  const join = (texts: ReadonlySet<string>) => Buffer.from([...texts].join('\n'), 'latin1');
  search.bytes(join(seen.commandLines), { surface: SURFACES.commandLines, source: '/proc/*/cmdline' });
  search.bytes(join(seen.environments), { surface: SURFACES.environments, source: '/proc/*/environ' });
}

/** Searches the files. Call it once no process writes any more. */
export async function searchFiles(search: Search, stage: Stage): Promise<void> {
  const { folder } = stage;
  const each = async (surface: Surface, path: string) => search.file(path, { surface, source: relative(folder, path) });
  const isWal = (path: string) => path.includes('/pg_wal/');
  for (const path of await filesIn(join(folder, 'postgres'))) {
    const isLog = path.endsWith('/server.log');
    await each(isLog ? SURFACES.postgresLog : isWal(path) ? SURFACES.postgresWal : SURFACES.postgresData, path);
  }
  const logs = await logsOfTemporal(stage);
  for (const path of logs) await each(SURFACES.temporalOutput, path);
  for (const path of await filesIn(join(folder, 'temporal'))) await each(SURFACES.temporalFile, path);
  await each(SURFACES.temporalRows, await rowsOf(stage));
  for (const path of await filesIn(join(folder, 'processes'))) {
    const isDebug = basename(path) === DEBUG_OUTPUT;
    if (isDebug) searchDebugOutput(search, relative(folder, path), await readFile(path));
    else await each(surfaceOf(basename(path)), path);
  }
  for (const path of await filesIn(join(folder, 'tmp'))) if (!logs.includes(path)) await each(SURFACES.folders, path);
}

function surfaceOf(file: string): Surface {
  if (file === 'output') return SURFACES.output;
  if (file === JSON_LOG) return SURFACES.jsonLogs;
  if (file === spansFile('@opentelemetry/instrumentation-undici')) return SURFACES.spansOfUndici;
  if (file === spansFile('@opentelemetry/instrumentation-http')) return SURFACES.spansOfHttp;
  if (file.endsWith(SPANS_EXTENSION)) return SURFACES.spans;
  return /^report.*\.json$/.test(file) ? SURFACES.reports : SURFACES.folders;
}

const DEBUG_SURFACES: Readonly<Record<string, Surface>> = {
  ...{ UNDICI: SURFACES.debugOfUndici, FETCH: SURFACES.debugOfUndici, HTTP: SURFACES.debugOfHttp },
  ...{ NET: SURFACES.debugOfNet, TLS: SURFACES.debugOfNet },
};
/** The first line of what a part of Node prints, or of an entry of Temporal's log. What follows belongs to it. */
const FIRST_LINE = /^(?:([A-Z]+) \d+: |\d{4}-\d\d-\d\dT)/;

function searchDebugOutput(search: Search, source: string, output: Buffer): void {
  const lines = new Map<Surface, string[]>();
  let surface: Surface = SURFACES.output;
  for (const line of output.toString('latin1').split('\n')) {
    const first = FIRST_LINE.exec(line);
    if (first) surface = DEBUG_SURFACES[first[1] ?? ''] ?? SURFACES.output;
    const before = lines.get(surface);
    if (before) before.push(line);
    else lines.set(surface, [line]);
  }
  for (const [each, its] of lines) search.bytes(Buffer.from(its.join('\n'), 'latin1'), { surface: each, source });
}

async function rowsOf({ temporalFile, folder }: Stage): Promise<string> {
  const path = join(folder, 'temporal-rows');
  const options = { encoding: 'buffer', maxBuffer: 1024 * 1024 * 1024, env: { PATH: process.env.PATH } } as const;
  const { stdout } = await promisify(execFile)('python3', ['-c', ROWS, temporalFile], options);
  await writeFile(path, stdout);
  return path;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
