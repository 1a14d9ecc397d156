/** Every way in which Node prints a value, in one text. Tests search it for secrets. */
import { inspect } from 'node:util';

export function everyPrintOf(value: unknown): string {
  const prints = [
    String(value),
    JSON.stringify(value),
    inspect(value, { depth: 20, showHidden: true, getters: true }),
    ...(value instanceof Error
      ? [value.message, value.stack, JSON.stringify(value, Object.getOwnPropertyNames(value))]
      : []),
  ];
  return prints.join('\n');
}
