/**
 * Packages that only some steps need. They are optional peer dependencies, so a worker whose agents make no LLM calls
 * does not install the AI SDK.
 */
import { ProviderError } from '../protocol/errors.js';

/**
 * Returns what `load` returns.
 *
 * @throws ProviderError `SetupInvalid` if the package is not installed
 */
export function optionalPackage<T>(name: string, load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    const message = `this step needs the package ${name}, which is not installed: run npm install ${name}`;
    throw new ProviderError('SetupInvalid', message, { fields: [name] });
  }
}

/** A package that is installed, but lacks one of its own dependencies, is another error. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' && message.startsWith(`Cannot find module '${name}'`);
}
