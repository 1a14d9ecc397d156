/** The provider types of users: from the option `types`, or from the module that `PROVIDER_TYPES` names. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ProviderError } from '../protocol/errors.js';
import { isProviderType } from '../providers/define-type.js';
import { ProviderTypes } from '../providers/provider-types.js';
import type { Settings } from './settings.js';

const SETTING = 'PROVIDER_TYPES';

/** Refuses, in the settings, what is not a list of types or a module that exports some. */
export function readTypes(settings: Settings): ProviderTypes {
  const given = settings.option(SETTING);
  const types = settings.parsed(SETTING, (module) => {
    if (given !== undefined) return ProviderTypes.with(asList(given));
    return module === '' ? ProviderTypes.builtIn : ProviderTypes.with(exportedTypes(module));
  });
  return types ?? ProviderTypes.builtIn;
}

function asList(given: unknown): readonly unknown[] {
  if (Array.isArray(given)) return given;
  throw ProviderError.setupInvalid('types', 'must be a list of types that defineProviderType returned');
}

/** Every type that the module exports, by itself or in a list. */
function exportedTypes(module: string): readonly unknown[] {
  const exported = Object.values(load(module)).flat();
  const types = new Set(exported.filter(isProviderType));
  if (types.size > 0) return [...types];
  throw refused('exports no provider type: export what defineProviderType returns');
}

/** With `require`, which also loads ES modules, so that settings are read in one step. */
function load(module: string): object {
  // As a path of this folder. The file need not exist.
  const requireHere = createRequire(join(process.cwd(), 'workspace-providers'));
  let found: string;
  try {
    found = requireHere.resolve(module);
  } catch {
    throw refused('names a module that does not exist: give a path such as ./provider-types.js, or a package');
  }
  try {
    return Object(requireHere(found)) as object;
  } catch (error) {
    throw refused(`names a module that cannot be loaded: ${reasonOf(error)}`);
  }
}

/** The text of an error of foreign code may have a secret in it, except of our own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it threw something';
  const { code } = error as NodeJS.ErrnoException;
  if (error.name === 'ProviderError') return error.message;
  if (code === 'ERR_REQUIRE_ASYNC_MODULE') return 'it has a top-level await, which is not possible there';
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return 'it is not JavaScript: compile it';
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') return 'it imports a module that does not exist';
  return `it threw ${/^\w{1,40}$/.test(error.name) ? error.name : 'an error'}; run it with node to see it`;
}

function refused(rule: string): ProviderError {
  return ProviderError.setupInvalid(SETTING, rule);
}
