/** Where variables of the environment were read from, if from a file: for messages that name the line to correct. */

const origins = new Map<string, string>();

/** @param origin - `worker.env line 3` */
export function rememberOrigin(variable: string, origin: string): void {
  origins.set(variable, origin);
}

export function originOf(variable: string): string | undefined {
  return origins.get(variable);
}
