/** Whose workspaces an activity works for: their secrets are looked for in what it says. */
import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { redact, redactFor } from '../redaction/opened-secrets.js';

/** An operator's activity works for every workspace. */
const EVERY_WORKSPACE = 'every workspace';

const workspaces = new WeakMap<Context, Set<string> | typeof EVERY_WORKSPACE>();
const NONE: ReadonlySet<string> = new Set();

/** Notes that the running activity works for a workspace. Outside of an activity, it notes nothing. */
export function noteWorkspace(workspaceId: string): void {
  const context = asyncLocalStorage.getStore();
  if (!context) return;
  const noted = workspaces.get(context);
  if (noted === EVERY_WORKSPACE) return;
  if (noted) noted.add(workspaceId);
  else workspaces.set(context, new Set([workspaceId]));
}

/** Notes that the running activity is an operator's. */
export function noteEveryWorkspace(context: Context): void {
  workspaces.set(context, EVERY_WORKSPACE);
}

/** Removes secrets from a text of an activity: those of its workspaces, and those that nobody can guess. */
export function redactOf(context: Context, text: string): string {
  const noted = workspaces.get(context) ?? NONE;
  return noted === EVERY_WORKSPACE ? redact(text) : redactFor(text, noted);
}
