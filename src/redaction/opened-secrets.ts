/**
 * The secrets that this process has opened, for whoever writes something down: activities, loggers, traces. One set a
 * process, since a shared client or a global of a library carries a key from the step that opened it into another.
 *
 * Data keys are not among them: their bytes go from the root key into a `CryptoKey` that cannot be exported, are never a
 * text here, and are overwritten; to remember them would keep what sealing takes care not to keep.
 */
import { unescape as decodePercents } from 'node:querystring';
import { Redactor } from './redactor.js';

const opened = new Redactor();

/** An address is public: a workspace that stores one as its key must not hide it from the steps of the others. */
const CHAIN_ADDRESS = /^0x[0-9a-f]{40}$/i;

/** A credential of a workspace: remembered until 10,000 others have been opened since. */
export function rememberSecret(secret: string): void {
  if (!CHAIN_ADDRESS.test(secret)) opened.add(secret);
}

/** Secret fields as they are sealed: every text in them, also those that no credential was made of. */
export function rememberSecretFields(fields: unknown): void {
  if (typeof fields === 'string') rememberSecret(fields);
  else if (typeof fields === 'object' && fields !== null) Object.values(fields).forEach(rememberSecretFields);
}

/** A secret of the process itself: a root key, an API key of Temporal's. Remembered to its end. */
export function rememberOwnSecret(secret: string): void {
  opened.add(secret, { lasting: true });
}

/** The password alone: login, host and database have names that others may say. */
export function rememberPasswordOf(databaseUrl: string): void {
  const { password } = new URL(databaseUrl);
  for (const spelling of [password, decodePercents(password)]) rememberOwnSecret(spelling);
}

/**
 * A text with `[redacted]` in place of every secret that this process has opened, also where it is URL-encoded,
 * JSON-escaped, in hex or in base64; the same text where there is none. Values shorter than 8 characters, and parts of
 * values, are not found: see `docs/redaction.md`.
 *
 * @example
 * const logger = pino({ hooks: { streamWrite: redact } });
 * @example
 * span.setAttribute('http.response.body', redact(body));
 */
export function redact(text: string): string {
  return opened.redact(text);
}
