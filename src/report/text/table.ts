import CliTable from 'cli-table3';

import { alignOf, columnsIn, written, type Column, type Table } from '../tables/table.ts';
import { BETWEEN_WORDS, columns, BETWEEN_FIGURES, piecesOf, show, wrap, wrapName, type Style } from './layout.ts';

/** Longer words are broken to no less than this. */
const NARROWEST = 12;
/** Between columns; narrow terminals get less of it. */
const GAP = 2;
const ROOMY = 70;

/** A longer word may be broken before other columns lose whole words. */
const LONGEST_WORD = 24;
/** The same of a name, which is broken behind commas only. */
const LONGEST_NAME = 60;

/** A table that takes more than so many times the lines of a list, with one between its items, is read less easily. */
const TOWERING = 2;
/** Before all lines of a list but its first. */
const HANG = '  ';

/** Longest text of a cell. */
const LONGEST = 4000;

/** Most rows drawn: cli-table3 takes minutes for 50,000. */
const MOST_ROWS = 1000;

/**
 * A table without borders, its widest columns wrapped so that it fits the width; no lines where there are no rows. What would have to
 * break a figure, or would be a tower of single words, is drawn as lists of labels and cells.
 */
export function drawTable<Row>(style: Style, table: Table<Row>, all: readonly Row[], indent = '  '): string[] {
  if (all.length === 0) return [];
  const rows = all.slice(0, MOST_ROWS);
  const shown = columnsIn(table, 'text', rows);
  const cells = rows.map((row) => shown.map((column) => show(style, written(column, row).text, LONGEST)));
  const listed = asLists(style, shown, cells, indent);
  const drawn = asTable(style, shown, cells, indent);
  const lines = drawn === undefined || drawn.length > (listed.length + rows.length) * TOWERING ? listed : drawn;
  return all.length > rows.length ? [...lines, `${indent}and ${all.length - rows.length} more, not shown here`] : lines;
}

/** Undefined where no table of whole figures is as narrow as that. */
function asTable<Row>(
  style: Style,
  shown: Table<Row>,
  cells: readonly (readonly string[])[],
  indent: string,
): string[] | undefined {
  const broken = shown.map(breakerOf);
  const widths = shown.map(({ label }, index) => Math.max(columns(label), ...cells.map((row) => columns(row[index]!))));
  // A figure in two lines is read as two figures, and half a word of the head is none.
  const whole = shown.map((column, index) =>
    Math.max(longestWord(column.label), ...cells.map((row) => unbroken(row[index]!, column))),
  );
  const words = shown.map(({ unit }, index) => {
    const pieces = cells.flatMap((row) => (unit === 'name' ? piecesOf(row[index]!) : row[index]!.split(' ')));
    return Math.max(whole[index]!, Math.min(unit === 'name' ? LONGEST_NAME : LONGEST_WORD, widest(pieces)));
  });
  const least = words.map((word, index) => Math.max(whole[index]!, Math.min(word, NARROWEST)));
  const between = shown.length - 1;
  const inside = style.width - indent.length;
  // Rather less room between the columns than a plain word in two, and none before the first than a table too wide.
  const fits = (of: readonly number[], gap: number, room = inside): boolean => sumOf(of) + gap * between <= room;
  const plain = words.every((word) => word < LONGEST_WORD);
  const close = (plain && !fits(words, GAP) && fits(words, 1)) || !fits(least, GAP, style.width);
  const gap = style.width < ROOMY || close ? 1 : GAP;
  if (!fits(least, gap, style.width)) return undefined;
  const before = fits(least, gap) ? indent : '';
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
  return drawn
    .toString()
    .split('\n')
    .map((each) => `${before}${each}`.trimEnd());
}

/** Each row as its labels and cells, as many to a line as there is room for; what follows the first line hangs below it. */
function asLists<Row>(
  style: Style,
  shown: Table<Row>,
  cells: readonly (readonly string[])[],
  indent: string,
): string[] {
  const room = style.width - indent.length - HANG.length;
  return cells.flatMap((row) => {
    const lines = [''];
    for (const [index, column] of shown.entries()) {
      const [first = '', ...rest] = breakerOf(column)(`${column.label} ${row[index]!}`, room);
      const joined = lines.at(-1) === '' ? first : `${lines.at(-1)}${' '.repeat(GAP)}${first}`;
      if (rest.length === 0 && columns(joined) <= room) lines[lines.length - 1] = joined;
      else lines.push(first, ...rest);
    }
    const [head, ...hanging] = lines.filter((line) => line !== '');
    return [`${indent}${head}`, ...hanging.map((line) => `${indent}${HANG}${line}`)];
  });
}

type Breaker = (text: string, width: number) => string[];

function breakerOf<Row>(column: Column<Row>): Breaker {
  if (column.unit === 'name') return wrapName;
  return alignOf(column) === 'right' ? (text, width) => wrap(text, width, BETWEEN_FIGURES) : wrap;
}

/** What is never broken: figures with their units, and words that are to stay whole. */
function unbroken<Row>(cell: string, column: Column<Row>): number {
  if (column.whole === true) return longestWord(cell);
  if (alignOf(column) === 'right') return widest(cell.split(BETWEEN_FIGURES));
  return column.unit === 'name' ? 0 : widest(cell.split(BETWEEN_WORDS).filter((word) => word.includes(' ')));
}

function sumOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0);
}

function longestWord(text: string): number {
  return widest(text.split(' '));
}

function widest(words: readonly string[]): number {
  return Math.max(0, ...words.map(columns));
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
