/**
 * Text of others on a terminal: the name of an actor or a worker, a reason, a message of a server. It must not move the
 * cursor, turn the direction of what follows, or hide a part of itself.
 */

/** Controls, formats such as bidi marks, separators of lines and paragraphs, and characters that no font shows. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const WHITE_SPACE = /[\t\n\r]+/g;
/** The colored mark at the start of a line of ours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: this is how a terminal is told a color
const MARK = /^(?:\u001b\[\d+m[✔✖?⠀-⣿]\u001b\[\d+m )?/u;

/** One line, in which every character can be seen: others are written as in JSON, `\u202e`. */
export function printable(text: string): string {
  const [mark = ''] = MARK.exec(text) ?? [];
  return mark + escaped(text.slice(mark.length).replace(WHITE_SPACE, ' '));
}

/** Several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON that means the same, and in which every character can be seen. */
export function printableJson(document: object): string {
  return escaped(JSON.stringify(document));
}

function escaped(text: string): string {
  return text.replace(UNSEEN, (character) => character.split('').map(escapeOf).join(''));
}

function escapeOf(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
