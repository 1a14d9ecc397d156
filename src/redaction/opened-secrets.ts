/**
 * The secrets that this process has opened, so that activities, loggers and traces can redact them. There is one set
 * per process, because a shared client or a library's global can carry a key from the step that opened it into another
 * step.
 *
 * Data keys are not in the set. Their bytes go from the root key into a `CryptoKey` that cannot be exported, are never
 * text here, and are overwritten. Remembering them would keep what sealing takes care not to keep.
 */
import { unescape as decodePercents } from 'node:querystring';
import { Redactor } from './redactor.js';

const opened = new Redactor();

/** A chain address is public. A workspace that stores one as its key must not hide it from other workspaces' steps. */
const CHAIN_ADDRESS = /^0x[0-9a-f]{40}$/i;

/** Remembers a workspace's credential until 10,000 others have been opened after it. */
export function rememberSecret(secret: string): void {
  if (!CHAIN_ADDRESS.test(secret)) opened.add(secret);
}

/** Remembers every text in a provider's secret fields, including texts that are not part of its credential. */
export function rememberSecretFields(fields: unknown): void {
  if (typeof fields === 'string') rememberSecret(fields);
  else if (typeof fields === 'object' && fields !== null) Object.values(fields).forEach(rememberSecretFields);
}

/** Remembers a secret of the process itself, such as a root key or a Temporal API key, until the process ends. */
export function rememberOwnSecret(secret: string): void {
  opened.add(secret, { lasting: true });
}

/** Remembers only the password: other texts may contain the names of the login, the host and the database. */
export function rememberPasswordOf(databaseUrl: string): void {
  const { password } = new URL(databaseUrl);
  for (const spelling of [password, decodePercents(password)]) rememberOwnSecret(spelling);
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
