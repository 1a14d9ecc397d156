/** The placeholders that stand for a provider's secrets, and what a request has of them. */

/** Finds placeholders in the parts of a request. */
export class Placeholders {
  /** @param texts - letters, digits, `-` and `_`: the same text in a URL, a header and JSON */
  constructor(readonly texts: readonly string[]) {}

  areIn(text: string): boolean {
    return this.texts.some((placeholder) => text.includes(placeholder));
  }

  /** As they are, or within the user and password of basic authentication. */
  areInHeader(value: string): boolean {
    return this.areIn(value) || this.areIn(basicOf(value) ?? '');
  }

  /** A body that is a stream is not read. */
  areInRequest(url: URL, headers: Headers, body: unknown): boolean {
    return (
      this.areIn(url.href) ||
      this.areIn(decoded(url.href)) ||
      [...headers.values()].some((value) => this.areInHeader(value)) ||
      this.areIn(textOf(body))
    );
  }
}

/** The user and password of basic authentication, decoded. */
export function basicOf(value: string): string | undefined {
  const [, base64] = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(value) ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString();
}

function decoded(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  if (body instanceof FormData) return [...body.values()].filter((value) => typeof value === 'string').join('\n');
  if (body instanceof ArrayBuffer) return Buffer.from(body).toString('latin1');
  return ArrayBuffer.isView(body) ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1') : '';
}
