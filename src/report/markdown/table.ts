import { alignOf, columnsIn, written, type Table } from '../tables/table.ts';
import { code, prose, table } from './syntax.ts';

/** A table; no lines where there are no rows. */
export function drawTable<Row>(of: Table<Row>, rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  const shown = columnsIn(of, 'markdown', rows);
  return table(
    shown.map((column) => ({
      head: column.label,
      ...(alignOf(column) === 'right' ? { align: 'right' as const } : {}),
    })),
    rows.map((row) =>
      shown.map((column) => {
        const { kind, text } = written(column, row);
        if (kind === 'name') return code(text, column.most);
        return kind === 'words' ? prose(text) : text;
      }),
    ),
  );
}
