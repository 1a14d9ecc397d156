/**
 * Questions on the terminal. Secrets come from a pipe, a prompt or a named environment variable. Never from an argument: every user of the machine
 * can read the arguments of a process, and shells keep them.
 */
import { confirm, isCancel, password } from '@clack/prompts';
import { takeVariable } from '../../config/process-hardening.js';
import { ProviderError } from '../../protocol/errors.js';
import { parseJson } from '../../redaction/parse-json.js';
import { MAX_PLAINTEXT_BYTES } from '../../sealing/sealer.js';
import { UsageError } from '../failure.js';

/** The option that answers the question beforehand. */
export const YES = ['--yes', 'do not ask'] as const;

/** Asks before something is lost. @throws UsageError if the answer is no, or if there is no terminal to ask on */
export async function askWhether(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError('this asks first, and there is no terminal to ask on: add --yes');
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr });
  if (isCancel(answer) || !answer) throw new UsageError('cancelled: nothing was changed');
}

export interface SecretSource {
  /** The field that a bare text fills. */
  readonly primarySecret: string;
  /** The name of an environment variable. Absent: a prompt where stdin is a terminal, else stdin to its end. */
  readonly variable?: string | undefined;
  /** What the prompt asks for. */
  readonly question: string;
}

/**
 * @returns the secret fields, not yet checked against their type
 * @throws UsageError where there is none; ProviderError `ProviderConfigInvalid` where it is too long or not text
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

/** A JSON object gives several fields, anything else is the one field; the newline that `echo` adds is not part of it. */
export function toFields(text: string, primarySecret: string): Record<string, unknown> {
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '')
    throw new UsageError('no secret was given: pipe it to stdin, or name a variable with --secret-env');
  if (!secret.startsWith('{')) return { [primarySecret]: secret };
  const fields = parseJson(secret);
  if (fields === undefined) throw unreadable('starts like a JSON object, and is none');
  return fields as Record<string, unknown>;
}

/** The name is not repeated: a key that was pasted there looks like one. */
function fromEnvironment(variable: string): string {
  const value = takeVariable(variable);
  if (!value) throw new UsageError('the environment variable that --secret-env names is not set');
  return value;
}

async function ask(question: string): Promise<string> {
  const answer = await password({ message: question, output: process.stderr });
  if (isCancel(answer)) throw new UsageError('cancelled: nothing was changed');
  return answer ?? '';
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_PLAINTEXT_BYTES) throw unreadable('is over 64 KiB');
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
