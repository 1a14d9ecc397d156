/**
 * Questions on the terminal. Secrets come from a pipe, a prompt or a named environment variable, never from an
 * argument: every user of the machine can read the arguments of a process, and shells keep them.
 */
import { confirm, isCancel, password } from '@clack/prompts';
import { takeVariable } from '../../config/process-hardening.js';
import { ProviderError } from '../../protocol/errors.js';
import { parseJson } from '../../redaction/parse-json.js';
import { MAX_PLAINTEXT_BYTES } from '../../sealing/sealer.js';
import { UsageError } from '../failure.js';
import { printable } from './printable.js';

/** The option that answers the question in advance. */
export const YES = ['--yes', 'do not ask for confirmation'] as const;

/** Asks before something is lost. @throws UsageError if the answer is no, or if there is no terminal to ask on */
export async function askWhether(question: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UsageError('this command asks for confirmation, and stdin is not a terminal: add --yes');
  const answer = await confirm({ message: printable(question), initialValue: false, output: process.stderr });
  if (isCancel(answer) || !answer) throw new UsageError('cancelled: nothing was changed');
}

export interface SecretSource {
  /** The field that plain text fills. */
  readonly primarySecret: string;
  /** The name of an environment variable. Default: a prompt if stdin is a terminal, otherwise stdin to its end. */
  readonly variable?: string | undefined;
  /** What the prompt asks for. */
  readonly question: string;
}

/**
 * @returns the secret fields, not yet checked against their type
 * @throws UsageError if there is no secret; ProviderError `ProviderConfigInvalid` if it is too long or not text
 */
export async function readSecret({
  primarySecret,
  variable,
  question,
}: SecretSource): Promise<Record<string, unknown>> {
  const text =
    variable !== undefined ? fromEnvironment(variable) : await (process.stdin.isTTY ? ask(question) : readStdin());
  return toFields(text, primarySecret);
}

/** A JSON object fills several fields, other text fills the primary one. The newline that `echo` adds is removed. */
export function toFields(text: string, primarySecret: string): Record<string, unknown> {
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '')
    throw new UsageError('no secret was given: pipe it to stdin, or name a variable with --secret-env');
  if (!secret.startsWith('{')) return { [primarySecret]: secret };
  const fields = parseJson(secret);
  if (fields === undefined)
    throw unreadable('begins with { but is not valid JSON: put such text into a field of a JSON object');
  return fields as Record<string, unknown>;
}

/** The message does not repeat the name: a key that was pasted there looks like one. */
function fromEnvironment(variable: string): string {
  const value = takeVariable(variable);
  if (!value) throw new UsageError('the environment variable that --secret-env names is not set');
  return value;
}

async function ask(question: string): Promise<string> {
  const answer = await password({ message: printable(question), output: process.stderr });
  if (isCancel(answer)) throw new UsageError('cancelled: nothing was changed');
  return answer ?? '';
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_PLAINTEXT_BYTES) throw unreadable('is larger than 64 KiB');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw unreadable('is not UTF-8 text');
  }
}

function unreadable(what: string): ProviderError {
  return new ProviderError('ProviderConfigInvalid', `the secret ${what}`, { fields: ['secret'] });
}
