import CliTable from 'cli-table3';

import { alignOf, columnsIn, written, type Table } from '../tables/table.ts';
import { columns, piecesOf, show, wrap, wrapName, type Style } from './layout.ts';

/** Narrowest a column is made before the table is let to grow past the width. */
const NARROWEST = 6;
/** Between columns; narrow terminals get less of it. */
const GAP = 2;
const ROOMY = 70;

/** A longer word may be broken before other columns lose whole words. */
const LONGEST_WORD = 24;
/** The same of a name, which is broken behind commas only. */
const LONGEST_NAME = 60;

/** Longest text of a cell. */
const LONGEST = 4000;

/** Most rows drawn: cli-table3 takes minutes for 50,000. */
const MOST_ROWS = 1000;

/** A table without borders, its widest columns wrapped so that it fits the width; no lines where there are no rows. */
export function drawTable<Row>(style: Style, table: Table<Row>, all: readonly Row[], indent = '  '): string[] {
  if (all.length === 0) return [];
  const rows = all.slice(0, MOST_ROWS);
  const shown = columnsIn(table, 'text', rows);
  const cells = rows.map((row) => shown.map((column) => show(style, written(column, row).text, LONGEST)));
  const broken = shown.map(({ unit }) => (unit === 'name' ? wrapName : wrap));
  const widths = shown.map(({ label }, index) => Math.max(columns(label), ...cells.map((row) => columns(row[index]!))));
  const words = shown.map(({ label, unit }, index) => {
    const pieces = cells.flatMap((row) => (unit === 'name' ? piecesOf(row[index]!) : row[index]!.split(' ')));
    const longest = pieces.reduce((most, piece) => Math.max(most, columns(piece)), longestWord(label));
    return Math.min(unit === 'name' ? LONGEST_NAME : LONGEST_WORD, longest);
  });
  // A figure in two lines is read as two figures, and half a word of the head is none.
  const least = shown.map((column, index) => {
    const figure = alignOf(column) === 'right' ? Math.max(...cells.map((row) => longestWord(row[index]!))) : 0;
    return Math.max(longestWord(column.label), Math.min(words[index]!, Math.max(NARROWEST, figure)));
  });
  const between = shown.length - 1;
  const inside = style.width - indent.length;
  // Rather less room between the columns than a plain word in two, and none before the first than a table too wide.
  const fits = (gap: number): boolean => sumOf(words) + gap * between <= inside;
  const plain = words.every((word) => word < LONGEST_WORD);
  const gap = style.width < ROOMY || (plain && !fits(GAP) && fits(1)) ? 1 : GAP;
  const before = sumOf(least) + gap * between <= inside ? indent : '';
  const available = style.width - before.length - gap * between;
  shrink(widths, available, words);
  shrink(widths, available, least);
  const rule = style.unicode ? '─' : '-';
  const drawn = new CliTable({
    head: shown.map(({ label }, index) => wrap(label, widths[index]!).join('\n')),
    colAligns: shown.map(alignOf),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', left: '', right: '', middle: ' '.repeat(gap) },
      ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
      ...{ mid: rule, 'mid-mid': rule.repeat(gap), 'left-mid': '', 'right-mid': '' },
    },
  });
  // A row of its own for each line: at every line of a cell cli-table3 measures all of the cell, once for each character in it.
  for (const row of cells) {
    const lines = row.map((cell, index) => broken[index]!(cell, widths[index]!));
    const height = Math.max(...lines.map(({ length }) => length));
    for (let line = 0; line < height; line += 1) drawn.push(lines.map((cell) => cell[line] ?? ''));
  }
  const text = drawn.toString().split('\n');
  if (all.length > rows.length) text.push(`and ${all.length - rows.length} more, not shown here`);
  return text.map((each) => `${before}${each}`.trimEnd());
}

function sumOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0);
}

function longestWord(text: string): number {
  return Math.max(...text.split(' ').map(columns));
}

/** Takes from the widest columns, one column of text at a time, until the table fits or each is at its least. */
function shrink(widths: number[], available: number, least: readonly number[]): void {
  let over = sumOf(widths) - available;
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
