/**
 * How an error is reported to the person who typed the command. A third-party error is named only by its class, and
 * what was typed is not repeated: either may contain a key.
 */
import { CommanderError } from 'commander';
import { isProviderError, type LineProblem } from '../protocol/errors.js';
import { EXIT, exitCodeOf } from './exit-codes.js';

const BUG = 'a bug, please report it';

/** An error, as `--json` prints it. */
export interface Failure {
  /** A `FailureType`, or `UsageInvalid`, `PackageMissing`, `PartUnavailable`, `Fault`. */
  readonly type: string;
  readonly message: string;
  /** Names of the fields that do not fit. */
  readonly fields: readonly string[];
  /** The lines of an import that do not fit. */
  readonly lines?: readonly LineProblem[];
}

/** A command line that does not make sense, or a "no" to a question. The message is fixed text. */
export class UsageError extends Error {
  override readonly name = 'UsageInvalid';
}

export function describeFailure(error: unknown): Failure {
  return classify(error).failure;
}

export function classify(error: unknown): { readonly failure: Failure; readonly exitCode: number } {
  if (isProviderError(error)) {
    const { type, message, facts } = error;
    const lines = facts.lines && { lines: facts.lines };
    return { failure: { type, message, fields: facts.fields ?? [], ...lines }, exitCode: exitCodeOf(error) };
  }
  if (error instanceof UsageError) return failure(error.name, error.message, EXIT.invalid);
  if (error instanceof CommanderError) return failure('UsageInvalid', usageMessage(error), EXIT.invalid);
  if (!(error instanceof Error))
    return failure('Fault', `${BUG}: something was thrown that is not an Error`, EXIT.fault);
  // An error of `src/dev`, which only `dev` loads: it is recognized by its name. Its message is for a person.
  if (error.name === 'PartUnavailable') return failure(error.name, error.message, EXIT.unavailable);
  const missing = missingPackage(error);
  if (missing)
    return failure('PackageMissing', `this command needs the package ${missing}: npm install ${missing}`, EXIT.invalid);
  return failure('Fault', whereItHappened(error), EXIT.fault);
}

function failure(type: string, message: string, exitCode: number) {
  return { failure: { type, message, fields: [] }, exitCode };
}

/** An error of commander, with the command whose help explains it: `workspace-providers list`. */
export type CommandLineError = CommanderError & { command?: string };

/** Commander repeats an unknown option or command, which may hold a key: `--api-key=…`, or a key in the wrong place. */
function usageMessage({ code, message, command = 'workspace-providers' }: CommandLineError): string {
  if (code === 'commander.help') return `no command was given; see ${command} --help`;
  const [first = ''] = message.replace(/^error: /, '').split('\n');
  const isEcho = code === 'commander.unknownOption' || code === 'commander.unknownCommand';
  const text = isEcho ? first.replace(/ '(?!(--)?[a-z][a-z-]{0,19}'$).*$/s, '') : first;
  return `${text}; see ${command} --help`;
}

/** The peer dependencies that `worker` and `dev` load. Commands that only manage providers do not need them. */
function missingPackage(error: Error): string | undefined {
  if (!/^(ERR_)?MODULE_NOT_FOUND$/.test(String((error as NodeJS.ErrnoException).code))) return undefined;
  return /^Cannot find (?:module|package) '(@temporalio\/[a-z-]+)/.exec(error.message)?.[1];
}

/** The error's class and stack, without its message. */
function whereItHappened(error: Error): string {
  const frames = (error.stack ?? '').split('\n').filter((frame) => /^\s+at /.test(frame));
  return [`${BUG}: ${error.constructor.name}`, ...frames].join('\n');
}
