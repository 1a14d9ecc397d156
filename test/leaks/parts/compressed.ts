/**
 * Finds gzip and zlib members within bytes, wherever they begin. A member that is cut off at the end of the bytes is
 * inflated as far as possible; one with other bytes in its middle is not read.
 */
import { constants, inflateRawSync, inflateSync, type ZlibOptions } from 'node:zlib';

const LARGEST_CONTENT = 64 * 1024 * 1024;
/** The headers that zlib writes: method 8, a window of 32 KiB, each level. */
const ZLIB_FLAGS = new Set([0x01, 0x5e, 0x9c, 0xda]);

export interface Member {
  readonly at: number;
  readonly content: Buffer;
}

export function* membersIn(bytes: Buffer): Generator<Member> {
  for (let at = bytes.indexOf(0x1f); at >= 0; at = bytes.indexOf(0x1f, at + 1)) {
    if (bytes[at + 1] !== 0x8b || bytes[at + 2] !== 8) continue;
    // Not gunzipSync, which reads the bytes after a member as another member, and fails.
    yield* member(at, () => inflateRawSync(bytes.subarray(at + gzipHeaderBytes(bytes, at)), OPTIONS));
  }
  for (let at = bytes.indexOf(0x78); at >= 0; at = bytes.indexOf(0x78, at + 1)) {
    if (ZLIB_FLAGS.has(bytes[at + 1] ?? 0)) yield* member(at, () => inflateSync(bytes.subarray(at), OPTIONS));
  }
}

/** RFC 1952: ten bytes, and the fields that the flags name. */
function gzipHeaderBytes(bytes: Buffer, at: number): number {
  const flags = bytes[at + 3] ?? 0;
  let length = 10;
  if (flags & 4) length += 2 + (bytes[at + length] ?? 0) + 256 * (bytes[at + length + 1] ?? 0);
  for (const text of [8, 16]) if (flags & text) length = Math.max(length, bytes.indexOf(0, at + length) + 1 - at);
  return flags & 2 ? length + 2 : length;
}

const OPTIONS: ZlibOptions = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: LARGEST_CONTENT };

function* member(at: number, inflate: () => Buffer): Generator<Member> {
  try {
    const content = inflate();
    if (content.length > 0) yield { at, content };
  } catch (error) {
    // A member that is too large must not be skipped, because it may contain a secret.
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw error;
  }
}
