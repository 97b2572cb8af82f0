import CliTable from 'cli-table3';

import { visible } from './escape.ts';

export interface Style {
  readonly colour: boolean;
  readonly width: number;
  /** False where the terminal's character set is not UTF-8. */
  readonly unicode: boolean;
}

export type Tone = 'critical' | 'warning' | 'good' | 'faint' | 'strong';

/** SGR codes: scalar, since nested styles of util.styleText differ between Node versions. */
const tones = { critical: '1;31', warning: '33', good: '32', faint: '2', strong: '1' } as const;

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
  let total = 0;
  for (const character of text) total += columnsOf(character);
  return total;
}

function columnsOf(character: string): number {
  const code = character.codePointAt(0)!;
  if (code < 0x300) return 1;
  if (/\p{M}/u.test(character)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    code >= 0x20000;
  return wide ? 2 : 1;
}

/** Breaks at spaces, and inside a word only where it is longer than a line. */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (columns(joined) <= room) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = chop(word, room);
    line = pieces.pop() ?? '';
    lines.push(...pieces);
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}

function chop(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let taken = 0;
  for (const character of word) {
    const size = columnsOf(character);
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

export interface Column {
  readonly head: string;
  readonly align?: 'left' | 'right';
}

/** Narrowest a column is made before the table is let to grow past the width. */
const NARROWEST = 6;
const GAP = 2;

/** A longer word may be broken before other columns lose whole words. */
const LONGEST_WORD = 24;

/** Takes from the widest columns, one column of text at a time, until the table fits or each is at its least. */
function shrink(widths: number[], available: number, least: readonly number[]): void {
  let over = widths.reduce((sum, width) => sum + width, 0) - available;
  while (over > 0) {
    let widest = -1;
    for (const [index, width] of widths.entries()) {
      if (width > least[index]! && (widest < 0 || width > widths[widest]!)) widest = index;
    }
    if (widest < 0) return;
    widths[widest]! -= 1;
    over -= 1;
  }
}

/** A table without borders, its widest columns wrapped so that it fits the width. Cells must be safe to show already. */
export function table(
  style: Style,
  heads: readonly Column[],
  rows: readonly (readonly string[])[],
  indent = '  ',
): string[] {
  const widths = heads.map(({ head }, index) =>
    Math.max(columns(head), ...rows.map((row) => columns(row[index] ?? ''))),
  );
  const words = heads.map(({ head }, index) => {
    const cells = [head, ...rows.map((row) => row[index] ?? '')];
    return Math.min(LONGEST_WORD, Math.max(...cells.flatMap((cell) => cell.split(' ')).map(columns)));
  });
  const available = style.width - indent.length - GAP * (heads.length - 1);
  shrink(widths, available, words);
  shrink(
    widths,
    available,
    words.map((word) => Math.min(word, NARROWEST)),
  );
  const line = style.unicode ? '─' : '-';
  const drawn = new CliTable({
    head: heads.map(({ head }, index) => wrap(head, widths[index]!).join('\n')),
    colAligns: heads.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', left: '', right: '', middle: ' '.repeat(GAP) },
      ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
      ...{ mid: line, 'mid-mid': line.repeat(GAP), 'left-mid': '', 'right-mid': '' },
    },
  });
  drawn.push(...rows.map((row) => row.map((cell, index) => wrap(cell, widths[index]!).join('\n'))));
  return drawn
    .toString()
    .split('\n')
    .map((each) => `${indent}${each}`.trimEnd());
}
