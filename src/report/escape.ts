/** Control, format, line and paragraph separators, lone surrogates and private use: nothing of these is shown as it is. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

/**
 * Text from the host made safe to show, and what it tried made visible: terminal escapes, bidi overrides and the like
 * become `\xNN` or `\u{N}`. Processes choose their own names, so every renderer puts every such string through here.
 * Long text is cut, never in the middle of an escape.
 */
export function visible(text: string, max = 200): string {
  if (text.length <= max && !HIDDEN.test(text)) return text;
  let shown = '';
  let length = 0;
  for (const character of text) {
    const piece = HIDDEN.test(character) ? escaped(character) : character;
    const size = piece === character ? 1 : piece.length;
    if (length + size > max) return `${shown}…`;
    shown += piece;
    length += size;
  }
  return shown;
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
