/** Where the spans of a process are: in its folder, in a file per scope, so that each instrumentation is a surface. */
export const SPANS_EXTENSION = '.spans';

/** @param scope - the name of the tracer, most often that of a package */
export function spansFile(scope: string): string {
  return `${scope.replace(/[^\w-]/g, '_')}${SPANS_EXTENSION}`;
}
