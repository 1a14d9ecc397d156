/**
 * Watches what other processes of the machine can read of running processes: the arguments and environments of all
 * descendants of this process, read every few milliseconds. Needs Linux's `/proc`.
 */
import { readdirSync, readFileSync } from 'node:fs';

const INTERVAL_MS = 50;

/**
 * A variable that marks a process which gets secrets as settings in its environment. Its own environment is then not
 * searched, but that of its children is.
 */
export const OWN_SETTINGS = 'LEAKS_OWN_SETTINGS';

export interface Seen {
  readonly commandLines: ReadonlySet<string>;
  readonly environments: ReadonlySet<string>;
  /** The number of processes. */
  readonly processes: number;
}

export interface ProcWatch {
  readonly seen: Seen;
  stop(): void;
}

export function watchProcesses(): ProcWatch {
  const [commandLines, environments, pids] = [new Set<string>(), new Set<string>(), new Set<number>()];
  const look = () => {
    for (const { pid, parent } of descendants()) {
      pids.add(pid);
      commandLines.add(read(`/proc/${pid}/cmdline`));
      const environment = read(`/proc/${pid}/environ`);
      const isOwn = parent === process.pid && environment.split('\0').includes(`${OWN_SETTINGS}=1`);
      if (!isOwn) environments.add(environment);
    }
  };
  look();
  const timer = setInterval(look, INTERVAL_MS);
  return {
    get seen() {
      return { commandLines, environments, processes: pids.size };
    },
    stop: () => clearInterval(timer),
  };
}

function descendants(): { readonly pid: number; readonly parent: number }[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // The command's name is in parentheses, and may contain any character.
    const parent = Number(read(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (parent: number): { pid: number; parent: number }[] =>
    (children.get(parent) ?? []).flatMap((pid) => [{ pid, parent }, ...below(pid)]);
  return [{ pid: process.pid, parent: process.ppid }, ...below(process.pid)];
}

/** Reads a file of a process that may be gone by now, one character per byte. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
