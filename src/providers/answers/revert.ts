/**
 * Reads why an execution reverted: from the data as Solidity encodes it, or from the words of a client that has only
 * words. A contract chooses what it says, so it is kept apart from messages, and it is bounded.
 */
import type { Revert } from '../../protocol/simulations.js';

/** What of the data is kept: 4 KiB. A contract may revert with as much as gas can buy. */
const MAX_DATA_CHARACTERS = 2 + 2 * 4 * 1024;
const MAX_REASON_CHARACTERS = 500;

/** At least a selector. Parity and older Nethermind write `Reverted ` before it. */
const REVERT_DATA = /^(?:Reverted )?0x((?:[0-9a-f]{2}){4,})$/i;

/** The selectors of `Error(string)` and `Panic(uint256)`. */
const ERROR = '08c379a0';
const PANIC = '4e487b71';

/** https://docs.soliditylang.org/en/latest/control-structures.html#panic-via-assert-and-error-via-require */
const PANICS: Readonly<Record<string, string>> = {
  '0x01': 'assertion failed',
  '0x11': 'arithmetic overflow',
  '0x12': 'division by zero',
  '0x21': 'value is not of the enum',
  '0x22': 'storage is not encoded correctly',
  '0x31': 'pop of an empty array',
  '0x32': 'index out of bounds',
  '0x41': 'too much memory',
  '0x51': 'call of a function that is not initialized',
};

/** How clients write a reason into their message, if they do not send the data. */
const REASONS: readonly RegExp[] = [
  /reverted with reason string '(.*?)'\s*$/, // Hardhat
  /reverted with (?:custom error|an unrecognized custom error|panic code) ['(]?(.*?)['.]*\s*$/, // Hardhat
  /revert reason[=:]\s*\[?(?:Error\()?(.*?)\)?\]?\)?\s*$/i, // Filecoin
  /execution reverted \((.*)\)\s*$/i, // Besu
  /(?:execution |transaction |call )?revert(?:ed)?:? +(?!reverted|without|with |opcode|\()(.*\S)\s*$/i, // geth and its kin; Ganache
];

/** What an answer has of a revert. */
interface RevertFacts {
  readonly data: string;
  readonly message: string;
}

/** `undefined` if neither the data nor the message says why. */
export function revertIn({ data, message }: RevertFacts): Revert | undefined {
  const encoded = REVERT_DATA.exec(data)?.[1]?.toLowerCase();
  const reason = (encoded && decoded(encoded)) || (encoded && !isKnown(encoded) ? undefined : reasonIn(message));
  if (encoded === undefined && reason === undefined) return undefined;
  return {
    ...(reason && { reason: reason.slice(0, MAX_REASON_CHARACTERS) }),
    ...(encoded && { data: `0x${encoded}`.slice(0, MAX_DATA_CHARACTERS) }),
  };
}

/** A custom error is known to its contract alone: words beside it are the client's. */
function isKnown(encoded: string): boolean {
  return encoded.startsWith(ERROR) || encoded.startsWith(PANIC);
}

function decoded(encoded: string): string | undefined {
  const args = encoded.slice(8);
  if (encoded.startsWith(PANIC) && args.length === 64) {
    const code = `0x${args.replace(/^0+(?=..)/, '').slice(-62)}`;
    return `Panic(${code})${PANICS[code] ? `: ${PANICS[code]}` : ''}`;
  }
  return encoded.startsWith(ERROR) ? stringIn(args) : undefined;
}

/** The one argument of `Error(string)`: where it begins, how long it is, and its bytes. */
function stringIn(args: string): string | undefined {
  const bytes = Buffer.from(args, 'hex');
  const offset = wordAt(bytes, 0);
  const length = offset === undefined ? undefined : wordAt(bytes, offset);
  if (offset === undefined || length === undefined || bytes.length < offset + 32 + length) return undefined;
  return printable(bytes.subarray(offset + 32, offset + 32 + length).toString());
}

function wordAt(bytes: Buffer, at: number): number | undefined {
  const word = bytes.length < at + 32 ? undefined : BigInt(`0x${bytes.subarray(at, at + 32).toString('hex')}`);
  return word !== undefined && word <= BigInt(bytes.length) ? Number(word) : undefined;
}

function reasonIn(message: string): string | undefined {
  const [first = ''] = message.split('\n');
  return REASONS.map((pattern) => pattern.exec(first)?.[1])
    .map((found) => found && printable(found))
    .find(Boolean);
}

/** Without control characters, which a terminal would obey. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trim();
}
