/** Redacts bytes as text with one character per byte, so that bytes that are not text stay as they are. */

/** Returns the same bytes if nothing was found. */
export function redactBytes(bytes: Uint8Array, redact: (text: string) => string): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const redacted = redact(text);
  return redacted === text ? bytes : Buffer.from(redacted, 'latin1');
}
