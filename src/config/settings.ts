/**
 * Reads settings by their table, from options or the environment. Each problem is collected, so that one start reports
 * all of them.
 */
import { readFileSync } from 'node:fs';
import { distance } from 'fastest-levenshtein';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { fileProblem } from '../protocol/file-problem.js';
import { DURATION_RULE, parseDuration } from './duration.js';
import { SETTINGS, type SettingName, type SettingOf, settingOf } from './settings-table.js';
import { originOf } from './variable-origins.js';

/** Settings of other programs that hold a secret. */
const FOREIGN_SECRETS = ['TEMPORAL_API_KEY'];

/** Only names with it are compared: `DATABASE_URL` and `ENCRYPTION_KEY` are near to names that others may use. */
const PREFIX = 'PROVIDER_';
/** The largest number of letters that were added, left out or changed. */
const MAX_TYPOS = 2;

/** Whether a variable is a setting that holds no secret. */
export function isPlainSetting(variable: string): boolean {
  return Object.hasOwn(SETTINGS, variable) && !secretSettings().includes(variable);
}

/**
 * Returns the setting that was probably meant by a variable that is none: in other letters, or with up to two typos.
 * `undefined`: the variable is a setting, or another program's.
 */
export function meantSetting(variable: string): string | undefined {
  const settings = Object.keys(SETTINGS).filter((name) => name.startsWith(PREFIX));
  const files = secretSettings().map((name) => `${name}_FILE`);
  const known = [...settings, ...files.filter((name) => name.startsWith(PREFIX))];
  if (known.includes(variable)) return undefined;
  return known.find((setting) => distance(variable.toUpperCase(), setting) <= MAX_TYPOS);
}

function secretSettings(): readonly string[] {
  const names = Object.keys(SETTINGS) as SettingName[];
  return [...names.filter((name) => settingOf(name).kind === 'secret'), ...FOREIGN_SECRETS];
}

/** A value that was given, and the name that messages use for it. */
interface Given {
  readonly text: string;
  readonly label: string;
}

export class Settings {
  readonly #problems: string[] = [];
  readonly #fields: string[] = [];

  /** The environment, with the contents of files in place of their names. */
  readonly env: NodeJS.ProcessEnv;

  /**
   * @param env - a secret is read from a file if `<name>_FILE` names one: an environment can be read in `/proc`, and is
   *   inherited by children
   * @param options - values that take precedence over the environment, by the names in the table
   */
  constructor(
    env: NodeJS.ProcessEnv,
    private readonly options: object = {},
  ) {
    this.env = { ...env };
    for (const name of secretSettings()) {
      const path = env[`${name}_FILE`]?.trim();
      if (path) this.env[name] = this.#readFile(name, path);
      delete this.env[`${name}_FILE`];
    }
  }

  /** The value. If it is absent or empty: the default of the table, or `undefined`. */
  text(name: SettingName): string | undefined {
    return this.#given(name)?.text ?? settingOf(name).default;
  }

  /** @param hint - how to set it */
  required(name: SettingName, hint: string): string {
    const given = this.#given(name);
    if (!given) this.refuse(this.#label(name), `is not set: ${hint}`);
    return given?.text ?? '';
  }

  /** The first of `names` that is set. */
  databaseUrl(...names: readonly SettingOf<'secret'>[]): string | undefined {
    const given = names.map((name) => this.#given(name)).find(Boolean);
    if (!given) return undefined;
    const fits = /^postgres(ql)?:/.test(given.text) && URL.canParse(given.text);
    if (!fits) this.refuse(given.label, 'must be postgres://login:password@host/database');
    return fits ? withPassword(given.text, this.env.PGPASSWORD) : given.text;
  }

  /** The first of `names` that is set; refused if none is. @param hint - what it must be */
  requiredDatabaseUrl(hint: string, ...names: readonly SettingOf<'secret'>[]): string {
    const url = this.databaseUrl(...names);
    const [name = '', ...others] = names.toReversed();
    if (url === undefined) this.refuse(name, `(or ${others.join(', ')}) is not set: ${hint}`);
    return url ?? '';
  }

  /** `true` or `false`. A misspelt value is refused, and never taken for the default. */
  flag(name: SettingOf<'flag'>): boolean {
    const given = this.#given(name);
    const value = given?.text.toLowerCase() ?? settingOf(name).default;
    if (given && value !== 'true' && value !== 'false') this.refuse(given.label, 'must be true or false');
    return value === 'true';
  }

  count(name: SettingOf<'count'>): number {
    const { default: fallback, min, max } = settingOf(name);
    const given = this.#given(name);
    if (!given) return Number(fallback);
    const count = Number(given.text);
    if (!/^\d+$/.test(given.text) || count < Number(min) || count > Number(max)) {
      this.refuse(given.label, `must be a whole number from ${min} to ${max}`);
    }
    return count;
  }

  /** In milliseconds. */
  durationMs(name: SettingOf<'duration'>): number {
    const { default: fallback = '', min = '', max = '' } = settingOf(name);
    const given = this.#given(name);
    const ms = parseDuration(given?.text ?? fallback) ?? Number.NaN;
    const fits = ms >= (parseDuration(min) ?? 0) && ms <= (parseDuration(max) ?? Number.POSITIVE_INFINITY);
    if (given && !fits) this.refuse(given.label, `must be ${DURATION_RULE}, from ${min} to ${max}`);
    return ms;
  }

  /** Returns what `parse` makes of the value; a ProviderError that is final is reported as this setting's problem. */
  parsed<Value>(name: SettingName, parse: (text: string) => Value): Value | undefined {
    const label = this.#label(name);
    try {
      return parse(this.text(name) ?? '');
    } catch (error) {
      if (!isProviderError(error) || error.retryable) throw error;
      this.refuse(label, error.message.replace(`${name} `, ''));
      return undefined;
    }
  }

  /** The option as it was given, for values that are not text. */
  option(name: SettingName): unknown {
    const { option } = settingOf(name);
    const within = (value: unknown, key: string) => (value as Record<string, unknown> | undefined)?.[key];
    return option?.split('.').reduce<unknown>(within, this.options);
  }

  /** Refuses misspelt names of settings: a typo would silently leave a default in force. */
  refuseMisspelt(): void {
    for (const name of Object.keys(this.env)) {
      const meant = meantSetting(name);
      if (meant) this.refuse(name, `is not a setting: did you mean ${meant}?`);
    }
  }

  refuse(label: string, problem: string): void {
    const origin = originOf(label);
    this.#problems.push(`${label}${origin === undefined ? '' : ` (${origin})`} ${problem}`);
    this.#fields.push(label);
  }

  /** @throws ProviderError `SetupInvalid` naming each problem */
  throwIfRefused(): void {
    if (this.#problems.length === 0) return;
    throw new ProviderError('SetupInvalid', this.#problems.join('\n'), { fields: this.#fields });
  }

  #given(name: SettingName): Given | undefined {
    const option = this.option(name);
    if (option !== undefined) return { text: textOf(option), label: this.#label(name) };
    const text = this.env[name]?.trim();
    return text ? { text, label: name } : undefined;
  }

  #label(name: SettingName): string {
    const { option } = settingOf(name);
    return option !== undefined && this.option(name) !== undefined ? option : name;
  }

  #readFile(name: string, path: string): string | undefined {
    if (this.env[name]?.trim()) this.refuse(`${name}_FILE`, `is set, and so is ${name}: remove one of them`);
    try {
      const content = readFileSync(path, 'utf8').trim();
      if (content === '') this.refuse(`${name}_FILE`, 'names an empty file');
      return content;
    } catch (error) {
      this.refuse(`${name}_FILE`, `names a file that ${fileProblem(error)}`);
      return undefined;
    }
  }
}

/** As libpq and pg do. They would look for the variable later, when a program has removed it. */
function withPassword(databaseUrl: string, password: string | undefined): string {
  const url = new URL(databaseUrl);
  if (!password || url.password || !url.hostname) return databaseUrl;
  url.password = encodeURIComponent(password);
  return url.href;
}

function textOf(option: unknown): string {
  return Array.isArray(option) ? option.join(',') : String(option);
}
