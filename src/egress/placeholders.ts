/** The placeholders that stand for a provider's secrets, and what a request has of them. */

// Not decodeURIComponent, which throws on a lone %.
import { unescape as decodePercents } from 'node:querystring';
import { writtenForms } from '../redaction/written-forms.js';

const UNIQUE = /wpk[0-9a-f]{24}/;

/**
 * Returns the part of a placeholder that no other text has. Around it is what clients expect: a prefix of keys, or a URL.
 *
 * @param digest - at least 24 hex digits
 */
export function uniquePart(digest: string): string {
  return `wpk${digest.slice(0, 24)}`;
}

/** Finds placeholders in the parts of a request. */
export class Placeholders {
  readonly #unique: readonly string[];

  /** @param texts - letters, digits, `-` and `_`, or a URL of them: the same text in a URL, a header and JSON */
  constructor(texts: readonly string[]) {
    this.#unique = texts.map((text) => UNIQUE.exec(text)?.[0] ?? text);
  }

  /** As they are, or URL-encoded. */
  areIn(text: string): boolean {
    const plain = text.includes('%') ? `${text}\n${decodePercents(text)}` : text;
    return this.#unique.some((unique) => plain.includes(unique));
  }

  /** Also within the user and password of basic authentication. */
  areInHeader(value: string): boolean {
    return this.areIn(value) || this.areIn(basicOf(value) ?? '');
  }

  areInHead(url: URL, headers: Headers): boolean {
    return this.areIn(url.href) || [...headers.values()].some((value) => this.areInHeader(value));
  }

  /** In any part of a request, in any form in which secrets are written, in upper and lower case. */
  async areWrittenIn(url: URL, headers: Headers, body: unknown): Promise<boolean> {
    const texts = [url.href, ...[...headers].flat(), await textOf(body)].flatMap((text) => [text, decodedTwice(text)]);
    const written = texts.join('\n').toLowerCase();
    return this.#unique.flatMap(writtenForms).some(({ text }) => written.includes(text.toLowerCase()));
  }
}

/** The user and password of basic authentication, decoded. */
export function basicOf(value: string): string | undefined {
  const [, base64] = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(value) ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString();
}

function decodedTwice(text: string): string {
  return decodePercents(decodePercents(text));
}

/** What the fetch standard sends for a body. A stream is not read. */
async function textOf(body: unknown): Promise<string> {
  if (body instanceof FormData) return (await Promise.all([...body].flat().map(textOf))).join('\n');
  if (body instanceof Blob) return textOf(await body.arrayBuffer());
  if (body instanceof ArrayBuffer) return Buffer.from(body).toString('latin1');
  if (ArrayBuffer.isView(body)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  const isStream = typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
  return body == null || isStream ? '' : String(body);
}
