import { seeded } from './law.ts';
import { seedOf } from './law-extent.ts';

/** A way to leave out a part of one file; the same at both ends of a window. Undefined: the file is gone. */
export interface Mutation {
  readonly name: string;
  change(content: string): string | undefined;
}

const whole: readonly Mutation[] = [
  { name: 'removed', change: () => undefined },
  { name: 'emptied', change: () => '' },
  // What sos keeps of a command that did not run, and of a file that could not be read.
  { name: 'an error in its place', change: () => "timeout: failed to run command 'x': No such file or directory\n" },
];

const cuts: readonly Mutation[] = [
  ...[0.2, 0.5, 0.8].map((share): Mutation => ({
    name: `cut after ${100 * share}%`,
    change: (content) => content.slice(0, Math.floor(content.length * share)),
  })),
  { name: 'cut before its last byte', change: (content) => content.slice(0, -1) },
  {
    name: 'cut after half its lines',
    change: (content) => firstLines(content, Math.ceil(linesOf(content).length / 2)),
  },
  // sos keeps the end of what is longer than its limit.
  {
    name: 'cut up to half its lines',
    change: (content) =>
      linesOf(content)
        .slice(Math.floor(linesOf(content).length / 2))
        .join(''),
  },
  { name: 'cut before its last line', change: (content) => firstLines(content, linesOf(content).length - 1) },
];

function linesOf(content: string): readonly string[] {
  return content.split(/(?<=\n)/);
}

function firstLines(content: string, count: number): string {
  return linesOf(content).slice(0, count).join('');
}

/**
 * Rows and columns of a table, so many of each; a row is known by where it stands, so that it goes at both ends. Where no row names
 * the columns, only the last ones can be missing: without another one what stands there is not less, but something else.
 */
function tableMutations(content: string, most: number, random: (below: number) => number): readonly Mutation[] {
  const lines = linesOf(content);
  const some = (count: number): readonly number[] =>
    count <= most ? Array.from({ length: count }, (_, at) => at) : Array.from({ length: most }, () => random(count));
  const rows = lines.length < 2 ? [] : some(lines.length);
  return [
    ...[...new Set(rows)].map((row): Mutation => ({
      name: `without row ${row}`,
      change: (text) =>
        linesOf(text)
          .filter((_, at) => at !== row)
          .join(''),
    })),
    ...[...new Set(columnsOf(lines, some))].map((column): Mutation => ({
      name: `without column ${column}`,
      change: (text) => withoutColumn(text, column),
    })),
  ];
}

const wordsOf = (line: string): number => line.split(/\s+/).filter((word) => word !== '').length;

/** Rows of hexadecimal numbers have letters and no names. */
const NUMBERS = /^(?:[\da-f]+\s*)+$/;

/** How far the names of the columns in the first row stand before the columns of the others; undefined where none are named. */
function offsetOf(lines: readonly string[]): number | undefined {
  const [header = '', ...rows] = lines;
  if (!/[A-Za-z]/.test(header) || NUMBERS.test(header) || rows.length === 0) return undefined;
  // Rows of /proc/interrupts and softirqs begin with a name of their own.
  if (/^\s+CPU0/.test(header)) return 1;
  return rows.every((row) => wordsOf(row) === wordsOf(header)) ? 0 : undefined;
}

function columnsOf(lines: readonly string[], some: (count: number) => readonly number[]): readonly number[] {
  const [header = ''] = lines;
  if (offsetOf(lines) !== undefined) return some(wordsOf(header));
  const columns = Math.max(...lines.map(wordsOf));
  return columns < 3 ? [] : [columns - 1];
}

function withoutColumn(text: string, column: number): string {
  const lines = linesOf(text);
  const offset = offsetOf(lines) ?? 0;
  return lines.map((line, at) => withoutWord(line, at === 0 ? column : column + offset)).join('');
}

/** A word and the blanks behind it. */
function withoutWord(line: string, column: number): string {
  let at = -1;
  return line.replace(/\S+[^\S\n]*/g, (word) => ((at += 1) === column ? '' : word));
}

/** Files by their path, `before/` and `after/` of a pair left out. */
export type Piece = readonly (readonly [path: string, Mutation])[];

/**
 * What is taken away: of every file each mutation, and pairs of them.
 * @param most rows and columns of one table, and how many pairs
 */
export function piecesOf(
  files: ReadonlyMap<string, string>,
  most: { readonly rows: number; readonly pairs: number; readonly singles: number },
): readonly Piece[] {
  const random = seeded(seedOf(files.size * 31));
  const all = [...files].flatMap(([path, content]) =>
    // A link is there or not.
    (path.endsWith('@')
      ? whole.slice(0, 1)
      : [...whole, ...(content.length > 1 ? cuts : []), ...tableMutations(content, most.rows, random)]
    ).map((mutation) => [path, mutation] as const),
  );
  const singles =
    all.length <= most.singles ? all : Array.from({ length: most.singles }, () => all[random(all.length)]!);
  // Everything that is gone or cut at all is tried by itself, whatever else is a sample.
  const must = all.filter(([, { name }]) => name === 'removed' || name === 'cut after 50%');
  const pairs = Array.from({ length: most.pairs }, () => [all[random(all.length)]!, all[random(all.length)]!] as const);
  return [...[...new Set([...must, ...singles])].map((each) => [each]), ...pairs.filter(([a, b]) => a[0] !== b[0])];
}

/** The content of a file without what the piece takes from it; undefined where that is all. */
export function left(path: string, content: string, piece: Piece): string | undefined {
  let rest: string | undefined = content;
  for (const [of, mutation] of piece) if (of === path && rest !== undefined) rest = mutation.change(rest);
  return rest;
}

export function pieceName(piece: Piece): string {
  return piece.map(([path, { name }]) => `${path} (${name})`).join(' and ');
}
