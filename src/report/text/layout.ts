import stringWidth from 'string-width';

import { visible } from '../escape.ts';

export interface Style {
  readonly colour: boolean;
  readonly width: number;
  /** False where the terminal's character set is not UTF-8. */
  readonly unicode: boolean;
  /** Lines of the terminal that it is shown on; undefined in files and pipes, where nothing is cut. */
  readonly rows?: number | undefined;
}

export type Tone = 'critical' | 'warning' | 'good' | 'strong';

/**
 * SGR codes: scalar, since nested styles of util.styleText differ between Node versions. Each colour has its own ground:
 * yellow or grey letters alone cannot be read on white, or not on black.
 */
const tones = { critical: '1;97;41', warning: '30;43', good: '30;42', strong: '1' } as const;

/** Colours a piece that has been laid out already; never more than a label. */
export function paint({ colour }: Style, tone: Tone, text: string): string {
  return colour ? `\u001b[${tones[tone]}m${text}\u001b[0m` : text;
}

const plain: Readonly<Record<string, string>> = { µ: 'u', '…': '...', '·': '-', '─': '-', '→': '->' };

/** Any text, ours or the host's, made safe and fit for the terminal. */
export function show({ unicode }: Style, text: string, max = 600): string {
  const safe = visible(text, max);
  if (unicode || /^[\x20-\x7e]*$/.test(safe)) return safe;
  return safe.replace(/[^\x20-\x7e]/gu, (each) => plain[each] ?? `\\u{${each.codePointAt(0)!.toString(16)}}`);
}

/** Columns a terminal gives to a text: none for combining marks, two for East Asian wide characters and emoji. */
export function columns(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return stringWidth(text);
}

/** Breaks at spaces, and inside a word only where it is longer than a line: there behind a sign between its parts, if one is near. */
export function wrap(text: string, width: number, between = BETWEEN_WORDS): string[] {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let line = '';
  const words = text.split(between).flatMap((word) => (columns(word) > room ? word.split(' ') : [word]));
  for (const word of words) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (columns(joined) <= room) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = parted(word, room);
    line = pieces.pop() ?? '';
    lines.push(...pieces);
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}

/** A blank, but not the one between a figure and its unit. */
export const BETWEEN_WORDS = /(?<!\d) | (?!(?:[nµum]?s|min|h|days?|(?:[kKMGTP]i?)?B|[kMG]bit\/s|%)(?!\w))/;
/** The same in a column of figures, where whatever follows one is its unit, and a sign goes with it: `200 packets`, `> 300 ns`. */
export const BETWEEN_FIGURES = /(?<![\d<>=]) /;

/** A name of a series or of a thing, where it may be broken: behind commas and blanks. */
export function piecesOf(name: string): string[] {
  return name.split(/(?<=[, ])/);
}

/** Breaks a name behind commas and blanks, and inside a piece only where it is longer than a line: between its parts, if it has some. */
export function wrapName(name: string, width: number): string[] {
  const lines: string[] = [''];
  for (const piece of piecesOf(name)) {
    const joined = `${lines.at(-1) ?? ''}${piece}`;
    if (columns(joined.trimEnd()) <= width) lines[lines.length - 1] = joined;
    else lines.push(...parted(piece, Math.max(1, width)));
  }
  return lines.map((line) => line.trimEnd()).filter((line, index) => index > 0 || line !== '');
}

function chop(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let taken = 0;
  for (const character of word) {
    const size = columns(character);
    if (taken + size > width && piece !== '') {
      pieces.push(piece);
      piece = '';
      taken = 0;
    }
    piece += character;
    taken += size;
  }
  return [...pieces, piece];
}

/** The same, behind a sign between the parts of a name (`tpacket_` `rcv`) where one is in the latter half of a piece. */
function parted(word: string, width: number): string[] {
  const pieces: string[] = [];
  let rest = word;
  while (columns(rest) > width) {
    const [whole = ''] = chop(rest, width);
    const part = /^(.*[_/.:=-])/.exec(whole)?.[1] ?? '';
    const piece = columns(part) * 2 >= width ? part : whole;
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
  return [...pieces, rest];
}

/** At most one line of text: what does not fit is left out and marked. */
export function cut(text: string, width: number, { unicode }: Style): string {
  if (columns(text) <= width) return text;
  const mark = unicode ? '…' : '...';
  return `${chop(text, Math.max(1, width - mark.length))[0] ?? ''}${mark}`;
}

/** Wrapped text behind an indent; lines after the first are indented by `hang` more. */
export function paragraph(text: string, width: number, indent = '', hang = 0): string[] {
  const [first = '', ...rest] = wrap(text, width - indent.length - hang);
  return [`${indent}${first}`, ...rest.map((line) => `${indent}${' '.repeat(hang)}${line}`)];
}
