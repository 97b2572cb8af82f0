import { formats } from '../words/formats.ts';

/** What a table is drawn as. */
export const everyFormat = ['text', 'markdown', 'html'] as const;
export type Format = (typeof everyFormat)[number];

/** How a figure is written; `number` has no unit. */
export type Unit = keyof typeof formats;

/** A figure with what a reader should know of it. */
export interface Figure {
  readonly figure: number;
  /** The column's, unless the rows of a column differ. */
  readonly unit?: Unit;
  /** How sure it is, behind the figure: `estimated`. */
  readonly note?: string;
  /** Its share of the largest in the table, where a format can draw. */
  readonly bar?: number;
  /** The same at other places, where a format has room. */
  readonly also?: readonly string[];
}

/** Words of ours in a column of names, or words with more to say. */
interface Words {
  readonly words: string;
  /** What a format with room says as well. */
  readonly also?: readonly string[];
}

/** What a row says in a column; null where it has nothing to say, which is shown as a dash. */
export type Cell = string | number | Figure | Words | null;

export interface Column<Row> {
  readonly label: string;
  /** What its cells are: names that the host gave, words, or figures, which stand to the right. */
  readonly unit: 'name' | 'words' | Unit;
  readonly cell: (row: Row) => Cell;
  readonly align?: 'right';
  /**
   * Shown in HTML only, which has room for what few readers want: a terminal has 80 columns, and Markdown is pasted into
   * issues. What it says can be read off the JSON report. Any other column is in every format.
   */
  readonly detail?: true;
  /** Formats that leave it out where no row has anything to say in it. */
  readonly unlessEmpty?: readonly Format[];
  /** Short words, never broken. */
  readonly whole?: true;
  /** Longest text in a cell, where a longer one is worth its room. */
  readonly most?: number;
}

/** A table, defined once for all formats. Adding a column here is all it takes. */
export type Table<Row> = readonly Column<Row>[];

/** The columns that a format shows of these rows. */
export function columnsIn<Row>(table: Table<Row>, format: Format, rows: readonly Row[]): Table<Row> {
  return table.filter(
    ({ detail, unlessEmpty, cell }) =>
      (detail !== true || format === 'html') &&
      (unlessEmpty?.includes(format) !== true || rows.some((row) => cell(row) !== null)),
  );
}

export function alignOf<Row>({ unit, align }: Column<Row>): 'left' | 'right' {
  return align ?? (unit === 'name' || unit === 'words' ? 'left' : 'right');
}

/** A cell in words that are not escaped yet. */
export interface Written {
  readonly kind: 'name' | 'words' | 'nothing';
  readonly text: string;
  readonly bar?: number;
  readonly also: readonly string[];
}

/** The words of a cell, the same in every format. */
export function written<Row>({ unit, cell }: Column<Row>, row: Row): Written {
  const value = cell(row);
  const words = (text: string): Written => ({ kind: 'words', text, also: [] });
  if (value === null) return { kind: 'nothing', text: '-', also: [] };
  if (typeof value === 'string') return unit === 'name' ? { kind: 'name', text: value, also: [] } : words(value);
  if (typeof value === 'object' && 'words' in value) return { ...words(value.words), also: value.also ?? [] };
  const { figure, unit: own, note, bar, also = [] }: Figure = typeof value === 'number' ? { figure: value } : value;
  const format = formats[own ?? (unit === 'name' || unit === 'words' ? 'number' : unit)];
  const text = `${format(figure)}${note === undefined ? '' : ` ${note}`}`;
  return { kind: 'words', text, also, ...(bar === undefined ? {} : { bar }) };
}
