/** Reading settings from the environment: each problem is collected, so that one start names them all. */
import { readFileSync } from 'node:fs';
import { isProviderError, ProviderError } from '../protocol/errors.js';

/** Each is read from a file where `<name>_FILE` names one: an environment can be read in `/proc`, and is inherited. */
const SECRET_SETTINGS = [
  'DATABASE_URL',
  'ENCRYPTION_KEY',
  'PROVIDER_GRANT_SIGNING_KEY',
  'PROVIDER_LISTEN_DATABASE_URL',
  'PROVIDER_MANAGER_DATABASE_URL',
  'PROVIDER_PAYLOAD_KEY',
  'TEMPORAL_API_KEY',
];

/** Those, and what the platform's fallback is read from. */
const FALLBACK_VARIABLE = /_(API_KEY|ACCESS_KEY|AUTH_TOKEN)$|^RPC_URL_\d+$/;

/** Whether a variable of the environment holds a secret. */
export function isSecretVariable(name: string): boolean {
  return SECRET_SETTINGS.includes(name) || FALLBACK_VARIABLE.test(name);
}

export class Settings {
  readonly #problems: string[] = [];
  readonly #fields: string[] = [];

  /** What was given, with the contents of files in place of their names. */
  readonly env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.env = { ...env };
    for (const name of SECRET_SETTINGS) {
      const path = env[`${name}_FILE`]?.trim();
      if (path) this.env[name] = this.#readFile(name, path);
      delete this.env[`${name}_FILE`];
    }
  }

  #readFile(name: string, path: string): string | undefined {
    if (this.env[name]?.trim()) this.refuse(`${name}_FILE`, `is set, and ${name} too: take one of them away`);
    try {
      const content = readFileSync(path, 'utf8').trim();
      if (content === '') this.refuse(`${name}_FILE`, 'names a file that is empty');
      return content;
    } catch {
      this.refuse(`${name}_FILE`, 'names a file that cannot be read');
      return undefined;
    }
  }

  text(name: string, fallback: string): string {
    return this.env[name]?.trim() || fallback;
  }

  required(name: string, hint: string): string {
    const value = this.env[name]?.trim();
    if (!value) this.refuse(name, `is not set: ${hint}`);
    return value ?? '';
  }

  /** `''` where it is not set, which is refused where there is a hint how to set it. */
  databaseUrl(name: string, hint?: string): string {
    const value = hint === undefined ? this.text(name, '') : this.required(name, hint);
    const fits = value === '' || (/^postgres(ql)?:/.test(value) && URL.canParse(value));
    if (!fits) this.refuse(name, 'must be postgres://login:password@host/database');
    return value;
  }

  /** `true` or `false`; a misspelt one is refused, never taken for the default. */
  flag(name: string, fallback: boolean): boolean {
    const value = this.env[name]?.trim().toLowerCase();
    if (value === undefined || value === '') return fallback;
    if (value !== 'true' && value !== 'false') this.refuse(name, 'must be true or false');
    return value === 'true';
  }

  count(name: string, fallback: number, min: number, max: number): number {
    const value = this.env[name]?.trim();
    if (!value) return fallback;
    const count = Number(value);
    if (!/^\d+$/.test(value) || count < min || count > max) {
      this.refuse(name, `must be a whole number from ${min} to ${max}`);
    }
    return count;
  }

  /** `500ms`, `30s`, `5m`, in milliseconds. */
  durationMs(name: string, fallbackMs: number, minMs: number, maxMs: number): number {
    const value = this.env[name]?.trim();
    if (!value) return fallbackMs;
    const [, amount, unit] = /^(\d+)\s*(ms|s|m)$/.exec(value) ?? [];
    const ms = Number(amount) * ({ ms: 1, s: 1_000, m: 60_000 }[unit ?? ''] ?? Number.NaN);
    if (!(ms >= minMs && ms <= maxMs)) {
      this.refuse(name, `must be a duration such as 500ms, 30s or 5m, from ${minMs} ms to ${maxMs / 1_000} s`);
    }
    return ms;
  }

  /** Takes what `read` returns, or its `ProviderConfigInvalid` as this setting's problem. */
  parsed<Value>(name: string, read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (!isProviderError(error, 'ProviderConfigInvalid')) throw error;
      this.refuse(name, error.message.replace(`${name} `, ''));
      return undefined;
    }
  }

  /** Refuses names with our prefix that are no setting: a typo would silently leave a default in force. */
  refuseUnknown(prefix: string, known: readonly string[]): void {
    for (const name of Object.keys(this.env)) {
      if (name.startsWith(prefix) && !known.includes(name)) {
        this.refuse(name, `is no setting; there are ${known.join(', ')}`);
      }
    }
  }

  refuse(name: string, problem: string): void {
    this.#problems.push(`${name} ${problem}`);
    this.#fields.push(name);
  }

  /** @throws ProviderError `ProviderConfigInvalid` naming each problem */
  throwIfRefused(): void {
    if (this.#problems.length === 0) return;
    throw new ProviderError('ProviderConfigInvalid', this.#problems.join('\n'), { fields: this.#fields });
  }
}
