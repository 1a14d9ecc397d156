/**
 * The forms that a secret may have in the bytes of a file. This list is longer than the redactor's and independent of
 * it, because a form that a shared list forgot would be neither redacted nor found.
 */

export interface Canary {
  /** The name of the secret for reports, which never show the value. */
  readonly kind: string;
  /** Its value, as text if it is text. */
  readonly value: string | Uint8Array;
  /** The surface that it was leaked into on purpose. Absent if it must not be found anywhere. */
  readonly control?: string;
}

export interface Form {
  readonly canary: Canary;
  readonly encoding: string;
  readonly bytes: Buffer;
}

/** The number of characters that `JSON.parse` quotes of invalid JSON. */
const QUOTED_CHARACTERS = 10;

/** Returns each different form once. */
export function formsOf(canary: Canary): Form[] {
  const bytes = Buffer.from(canary.value as Uint8Array);
  const hex = bytes.toString('hex');
  const forms: [string, Buffer | string][] = [
    ['raw', bytes],
    ...(typeof canary.value === 'string' ? textForms(canary.value) : []),
    ['hex', hex],
    ['upper-case hex', hex.toUpperCase()],
    ['bytes that Node prints', printed(hex)],
    ...[0, 1, 2].flatMap((offset): [string, string][] => {
      const text = base64At(bytes, offset);
      return [
        [`base64 at ${offset}`, text],
        [`base64url at ${offset}`, text.replaceAll('+', '-').replaceAll('/', '_')],
      ];
    }),
  ];
  const different = new Map<string, Form>();
  for (const [encoding, written] of forms) {
    const form = { canary, encoding, bytes: Buffer.from(written as string) };
    const key = form.bytes.toString('latin1');
    if (!different.has(key)) different.set(key, form);
  }
  return [...different.values()];
}

function textForms(text: string): [string, Buffer | string][] {
  const url = encodeURIComponent(text);
  return [
    ['URL-encoded', url],
    ['URL-encoded in lower case', url.replace(/%../g, (octet) => octet.toLowerCase())],
    ['JSON-escaped', JSON.stringify(text).slice(1, -1)],
    ['JSON-escaped twice', JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1)],
    ['UTF-16', Buffer.from(text, 'utf16le')],
    [`its first ${QUOTED_CHARACTERS} characters`, text.slice(0, QUOTED_CHARACTERS)],
    // Node prints only the first 50 bytes.
    [
      `its first ${QUOTED_CHARACTERS} bytes that Node prints`,
      printed(Buffer.from(text).toString('hex', 0, QUOTED_CHARACTERS)),
    ],
  ];
}

/** As in `<Buffer 6b 65 79>`. */
function printed(hex: string): string {
  return hex.replace(/..(?!$)/g, '$& ');
}

/** The base64 of `bytes` after `offset` other bytes, without the characters that depend on neighbours. */
function base64At(bytes: Buffer, offset: number): string {
  const start = Math.ceil((offset * 8) / 6);
  const end = Math.floor(((offset + bytes.length) * 8) / 6);
  return Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(2)])
    .toString('base64')
    .slice(start, end);
}
