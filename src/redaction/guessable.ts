/**
 * How hard a text is to guess, and to meet by chance. A secret that others can guess or meet must not be searched for in
 * their texts: the workspace that stored it would change what they read, and would learn from that which texts they have.
 */

/** Fewer characters, or fewer different ones, are met by chance, or are guessed. */
export const MIN_KEY_CHARACTERS = 16;
export const MIN_DIFFERENT_CHARACTERS = 8;

/** Whether a secret can be looked for at all, in the texts of its own workspace. */
export function isWeak(secret: string): boolean {
  return secret.length < MIN_KEY_CHARACTERS || new Set(secret).size < MIN_DIFFERENT_CHARACTERS;
}

/** Whether a secret of one workspace can be looked for in the texts of another. */
export function isUnguessable(secret: string): boolean {
  const isRandom = /^[\x21-\x7e]{24,}$/.test(secret) && /\d.*\d/.test(secret);
  return isRandom && !isPublicText(secret) && guessBits(secret) >= 80;
}

/** Whether a secret of the process itself, which no tenant chooses, can be looked for in the texts of all workspaces. */
export function isStrong(secret: string): boolean {
  return !isWeak(secret) && guessBits(secret) >= 60;
}

/** Addresses, hashes and words of a chain (in hex, or base58) and URLs: everybody's answers contain them. */
function isPublicText(text: string): boolean {
  return (
    /^(0x)?[0-9a-f]{40,}$/i.test(text) ||
    /^(?=.*[A-Z])(?=.*[g-z])[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(text) ||
    text.includes('://')
  );
}

/** Letters that follow each other in one case are taken for a word of a language. */
const BITS_OF_A_WORDS_LETTER = 1.3;
/** Digits that follow each other are taken for a number. */
const BITS_OF_A_NUMBERS_DIGIT = 1;

/** A low estimate of the number of guesses that a text withstands, in bits. */
function guessBits(text: string): number {
  const classes: readonly [RegExp, number][] = [
    [/[a-z]{4,}|[A-Z]{4,}/g, BITS_OF_A_WORDS_LETTER],
    [/\d{7,}/g, BITS_OF_A_NUMBERS_DIGIT],
    [/[a-zA-Z]/g, Math.log2(26)],
    [/\d/g, Math.log2(10)],
    [/[^\s]/g, 2],
  ];
  let rest = text;
  let bits = 0;
  for (const [pattern, bitsPerCharacter] of classes) {
    rest = rest.replace(pattern, (match) => {
      bits += match.length * bitsPerCharacter;
      return ' '.repeat(match.length);
    });
  }
  return Math.min(bits, text.length * entropyPerCharacter(text));
}

/** Shannon's entropy of the text's own characters: 0 for a repeated character. */
function entropyPerCharacter(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / text.length;
    return sum - share * Math.log2(share);
  }, 0);
}
