/** The question before something is lost for good. Whoever has no terminal to answer on says yes beforehand. */
import { confirm, isCancel } from '@clack/prompts';
import { UsageError } from './failure.js';

/** The option that answers it. */
export const YES = ['--yes', 'do not ask'] as const;

/** @throws UsageError where the answer is no, or there is nobody to ask */
export async function askWhether(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError('this asks first, and there is no terminal to ask on: add --yes');
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr });
  if (isCancel(answer) || !answer) throw new UsageError('cancelled: nothing was changed');
}
