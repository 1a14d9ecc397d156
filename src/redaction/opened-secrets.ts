/**
 * The secrets that this process has opened, so that activities, loggers and traces can redact them. There is one set
 * per process, because a shared client or a library's global can carry a key from the step that opened it into another
 * step.
 *
 * Data keys are not in the set. Their bytes go from the root key into a `CryptoKey` that cannot be exported, are never
 * text here, and are overwritten. Remembering them would keep what sealing takes care not to keep.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { unescape as decodePercents } from 'node:querystring';
import { isStrong } from './guessable.js';
import { Redactor } from './redactor.js';

const opened = new Redactor();
const currentOwner = new AsyncLocalStorage<string>();

/** A chain address is public. A workspace that stores one as its key must not hide it from its own steps. */
const CHAIN_ADDRESS = /^0x[0-9a-f]{40}$/i;

/** Remembers a credential until 10,000 others have been opened after it. It belongs to the workspace of {@link ownedBy}. */
export function rememberSecret(secret: string): void {
  if (!CHAIN_ADDRESS.test(secret)) opened.add(secret, { owner: currentOwner.getStore() });
}

/** Remembers every text in a workspace's secret fields, including texts that are not part of a credential. */
export function rememberSecretFields(workspaceId: string, fields: unknown): void {
  ownedBy(workspaceId, () => rememberTexts(fields));
}

/** Remembers every text in the secret fields of a provider, as secrets of the workspace of {@link ownedBy}. */
export function rememberTexts(fields: unknown): void {
  if (typeof fields === 'string') rememberSecret(fields);
  else if (typeof fields === 'object' && fields !== null) Object.values(fields).forEach(rememberTexts);
}

/** Runs a function whose secrets belong to a workspace. */
export function ownedBy<Result>(workspaceId: string, run: () => Result): Result {
  return currentOwner.run(workspaceId, run);
}

const weakSettings = new Set<string>();

/**
 * Remembers a secret of the process itself, such as a root key or a Temporal API key, until the process ends.
 *
 * @param what - what {@link warnOfWeakSecrets} calls it
 */
export function rememberOwnSecret(secret: string, what?: string): void {
  opened.add(secret, { lasting: true });
  if (what !== undefined && secret !== '' && !isStrong(secret)) weakSettings.add(what);
}

/** Called when a worker starts: a weak secret of the process is not looked for in what activities return. */
export function warnOfWeakSecrets(): void {
  for (const what of weakSettings) {
    const warning =
      `${what} is short or easy to guess. It is removed from logs, but not from what activities return, ` +
      'because it could be met there by chance: use at least 24 random characters';
    process.emitWarning(warning, 'WorkspaceProvidersWarning');
  }
  weakSettings.clear();
}

/** Remembers only the password: other texts may contain the names of the login, the host and the database. */
export function rememberPasswordOf(databaseUrl: string): void {
  const { password } = new URL(databaseUrl);
  rememberOwnSecret(password);
  rememberOwnSecret(decodePercents(password), 'the password of a database URL');
}

/**
 * Returns the text of an activity of these workspaces without their secrets. Secrets of other workspaces are looked for
 * only if nobody can guess them, or meet them by chance: otherwise a workspace could change what others read.
 */
export function redactFor(text: string, workspaceIds: ReadonlySet<string>): string {
  return opened.redact(text, workspaceIds);
}

/**
 * Returns the text with `[redacted]` in place of every secret that this process has opened, also if the secret is
 * URL-encoded, JSON-escaped, in hex or in base64. Values shorter than 8 characters, and parts of values, are not found:
 * see `docs/redaction.md`.
 *
 * @example
 * const logger = pino({ hooks: { streamWrite: redact } });
 * @example
 * span.setAttribute('http.response.body', redact(body));
 */
export function redact(text: string): string {
  return opened.redact(text);
}
