/**
 * Searches what Temporal's server keeps of a workflow for secrets. The encoded bytes are searched: their JSON holds
 * payloads as base64, in which nothing would be found. `leaks.test.ts` shows that it finds what is there.
 */
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';

const { History } = proto.temporal.api.history.v1;
const { DescribeWorkflowExecutionResponse } = proto.temporal.api.workflowservice.v1;

/**
 * The secrets that stand in a workflow's history, or in what `describe` tells: memo, search attributes, and the last
 * failure and heartbeat of activities that are still being retried.
 */
export async function leaksOf(workflow: WorkflowHandle, secrets: readonly string[]): Promise<string[]> {
  const [history, description] = await Promise.all([workflow.fetchHistory(), workflow.describe()]);
  const kept = Buffer.concat([
    History.encode(history).finish(),
    DescribeWorkflowExecutionResponse.encode(description.raw).finish(),
  ]);
  return leaksIn(kept, secrets);
}

/** The secrets that stand in `text`, as they are or as they are commonly encoded. */
export function leaksIn(text: string | Buffer, secrets: readonly string[]): string[] {
  const bytes = Buffer.from(text);
  return secrets.filter((secret) => Object.values(encodingsOf(secret)).some((encoded) => bytes.includes(encoded)));
}

/** In base64 a text looks different at each of three offsets; what its neighbours would change is cut off. */
export function encodingsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret);
  const base64At = (offset: number) =>
    Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(2)])
      .toString('base64')
      .slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  const base64 = [0, 1, 2].map((offset) => [`base64 at ${offset}`, base64At(offset)] as const);
  return {
    raw: secret,
    'URL-encoded': encodeURIComponent(secret),
    hex: bytes.toString('hex'),
    'upper-case hex': bytes.toString('hex').toUpperCase(),
    ...Object.fromEntries(base64),
    ...Object.fromEntries(base64.map(([name, text]) => [name.replace('64', '64url'), toBase64url(text)])),
  };
}

function toBase64url(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}
