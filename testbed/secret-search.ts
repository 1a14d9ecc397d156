/** Searches output for secrets, plain and in the common encodings: for the demo and for tests. */

/** The secrets that `text` contains. */
export function leaksIn(text: string | Uint8Array, secrets: readonly string[]): string[] {
  const bytes = Buffer.from(text);
  return secrets.filter((secret) => Object.values(encodingsOf(secret)).some((encoded) => bytes.includes(encoded)));
}

/** In base64 a text has three forms, by its offset. The characters that depend on its neighbours are cut off. */
export function encodingsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret);
  const base64At = (offset: number) =>
    Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(2)])
      .toString('base64')
      .slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  const base64 = [0, 1, 2].map((offset) => [`base64 at ${offset}`, base64At(offset)] as const);
  return {
    raw: secret,
    'URL-encoded': encodeURIComponent(secret),
    hex: bytes.toString('hex'),
    'upper-case hex': bytes.toString('hex').toUpperCase(),
    ...Object.fromEntries(base64),
    ...Object.fromEntries(base64.map(([name, text]) => [name.replace('64', '64url'), toBase64url(text)])),
  };
}

function toBase64url(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}
