/** Checks of this machine and of the environment of the process. */
import { vendorVariables } from '../providers/llm/vendors.js';
import { fail, ok, type Result, warn } from './finding.js';
import type { Setup } from './setup.js';

/** As `engines` in package.json has it. */
const OLDEST_NODE = [20, 19] as const;

/** @param version - `v22.11.0` */
export function checkNode(version: string): Result {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const fits = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  if (fits) return ok(`Node ${version}`);
  return fail(`Node ${version} is too old: use Node ${oldestMajor}.${oldestMinor} or later`);
}

/** Variables that make a library write what it sends or receives, keys included, to a log. */
const LOGS: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^(OPENAI|ANTHROPIC)_LOG$/, /^debug$/i],
  [/^NODE_DEBUG$/, /\b(http|https|http2|tls|net|undici|fetch|stream)\b/i],
  [/^GRPC_(NODE_)?VERBOSITY$/, /^debug$/i],
];
const PROXY = /^(https?|all)_proxy$/i;
const INSPECTOR = /--(inspect|heapsnapshot-signal|report-on-signal)/;

export function checkEnvironment({ env, fallback }: Setup): readonly Result[] {
  const set = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const allowed = 'value' in fallback ? fallback.value.describe() : [];
  const results = [
    ...set
      .filter(([name, value]) => LOGS.some(([logs, level]) => logs.test(name) && level.test(value)))
      .map(([name]) =>
        warn(`${name} makes a library log what it sends or receives, which may include keys: remove it`),
      ),
    ...set
      .filter(([name]) => PROXY.test(name))
      .map(([name]) =>
        warn(`${name} is set, and calls to services do not use a proxy: let workers reach them directly`),
      ),
    ...(INSPECTOR.test(env.NODE_OPTIONS ?? '')
      ? [warn('NODE_OPTIONS lets others read the memory of the process, with its keys: remove the options')]
      : []),
    ...vendorVariables()
      .filter(({ vendor, variable }) => env[variable] && !allowed.includes(`llm/${vendor}`))
      .map(({ vendor, variable }) =>
        warn(
          `${variable} is set: a client of ${vendor} that is made without a key would use it for any workspace; remove ` +
            `it, call hardenProcess in your own worker, or allow it by PROVIDER_PLATFORM_FALLBACK=llm/${vendor}`,
        ),
      ),
  ];
  return results.length > 0 ? results : [ok('no variable takes keys along, or to a log')];
}
