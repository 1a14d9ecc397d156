/** What `dev` prints when it is ready: what runs where, and what to do next. */
import { join } from 'node:path';
import { PARTS, type Part } from '../setup/setup-files.js';
import { line } from '../terminal/output.js';

export interface DevReport {
  readonly event: 'ready';
  readonly pid: number;
  readonly files: Readonly<Record<Part, string>>;
  /** `host:port/database` */
  readonly database: string;
  readonly temporal: string;
  /** Absent if the Temporal server was not started here. */
  readonly temporalUiUrl: string | undefined;
  readonly namespace: string;
  readonly exampleTaskQueue: string;
  readonly operationsTaskQueue: string;
  /** Whether the data stays when the run ends. */
  readonly keepsData: boolean;
  /** The usual ports that another program uses. */
  readonly movedFrom: readonly { readonly server: string; readonly port: number }[];
  /** Settings of this environment that differ from the files, and take precedence over them. */
  readonly overriding: readonly string[];
}

/** The address to which Temporal's SDK connects if it is given none. */
const SDK_ADDRESS = '127.0.0.1:7233';
const EXAMPLE = join(__dirname, '../../../examples/ask-model/start.js');

export function filesOf(folder: string): Readonly<Record<Part, string>> {
  const pathOf = (part: Part) => join(folder, PARTS[part].file);
  return { worker: pathOf('worker'), starter: pathOf('starter'), manager: pathOf('manager') };
}

export function describeDev(report: DevReport): readonly string[] {
  const { files, database, temporal, temporalUiUrl, exampleTaskQueue, operationsTaskQueue, keepsData } = report;
  return [
    line('ok', 'Postgres', [database, keepsData ? 'data is kept' : undefined]),
    line('ok', 'Temporal', [temporal, temporalUiUrl && `UI ${temporalUiUrl}`, `namespace ${report.namespace}`]),
    line('ok', 'worker', [`rotations on ${operationsTaskQueue}`, `the example on ${exampleTaskQueue}`]),
    line('ok', 'settings', Object.values(files)),
    ...report.movedFrom.map(({ server, port }) =>
      line('unsure', 'port', [`${port} is in use: ${server} has another port in this run`]),
    ),
    ...(temporal === SDK_ADDRESS
      ? []
      : [line('unsure', 'address', ['your worker and starter must connect to TEMPORAL_ADDRESS of their files'])]),
    ...report.overriding.map((name) =>
      line('unsure', 'override', [`${name} of your shell takes precedence over the files: unset it there`]),
    ),
    '',
    'Configure a provider (it asks for the key):',
    `  npx workspace-providers --env-file ${quoted(files.manager)} \\`,
    '    configure ws_acme llm anthropic --set model=claude-sonnet-5-5',
    'Ask its model through the example agent:',
    `  node --env-file=${quoted(files.starter)} ${quoted(shortened(EXAMPLE))} ws_acme anthropic 'Say hello.'`,
    'Start your own worker, on any other task queue, and then a workflow:',
    `  node --env-file=${quoted(files.worker)} worker.js`,
    `  node --env-file=${quoted(files.starter)} start.js`,
    '',
    keepsData
      ? 'Ctrl-C stops everything. The data stays.'
      : 'Ctrl-C stops everything, and removes the data and the files.',
  ];
}

/** Relative to the current folder if it is in it. */
function shortened(path: string): string {
  const here = join(process.cwd(), '/');
  return path.startsWith(here) ? path.slice(here.length) : path;
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
