/** `undefined` for what is no JSON: the parser's own error quotes its input, which may be a secret. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
