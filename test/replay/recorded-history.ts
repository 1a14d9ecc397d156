/**
 * Converts a history to JSON and back, by the mapping of protobufjs. Temporal's canonical JSON could be read by other
 * tools too, but the SDK's converter refuses its own types if npm installs protobufjs twice, as it does here.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { leaksOf } from '../integration/leaks.js';

const { History } = proto.temporal.api.history.v1;

/** A worker's `pid@host`, which also begins the name of its sticky task queue. */
const WORKER_IDENTITY = /^\d+@/;

/** Leaves out what describes the machine that recorded a history: a replay does not read it. */
function withoutMachine(field: string, value: unknown): unknown {
  return field === 'stackTrace' || (typeof value === 'string' && WORKER_IDENTITY.test(value)) ? undefined : value;
}

export function historyToText(history: proto.temporal.api.history.v1.IHistory): string {
  const plain = History.toObject(History.fromObject(history), { longs: String, bytes: String, enums: Number });
  return `${JSON.stringify(plain, withoutMachine, 1)}\n`;
}

export function historyFromText(text: string): proto.temporal.api.history.v1.IHistory {
  return History.fromObject(JSON.parse(text));
}

/**
 * Writes a history to `histories/<version of package.json>/`. It never overwrites one: workflows that started on that
 * version may still be running, and the replay must use their history.
 */
export async function keepHistory(name: string, workflow: WorkflowHandle, secrets: readonly string[]): Promise<void> {
  const leaks = await leaksOf(workflow, secrets);
  if (leaks.length > 0) throw new Error(`the history of ${name} contains secrets, so it was not written`);
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  const folder = new URL(`histories/${version}/`, import.meta.url);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(`${name}.json`, folder), historyToText(await workflow.fetchHistory()), { flag: 'wx' });
}
