/** What a format with an end of its own leaves out is counted. */
import type { Table } from '../tables/table.ts';
import { formats } from '../words/formats.ts';
import { drawTable } from './table.ts';

/** The first rows of a table, and how many more there are. */
export function firstOf<Row>(table: Table<Row>, of: readonly Row[], rows: number): string[] {
  return [...drawTable(table, of.slice(0, rows)), '', ...more(of.length - rows)];
}

export function more(left: number): string[] {
  return left > 0 ? [`And ${formats.count(left)} more in the JSON report.`, ''] : [];
}
