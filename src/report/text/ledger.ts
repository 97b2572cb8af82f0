import type { Report } from '../../generated/report.ts';
import { bookTable, ledgerTable, ledgerWords, shownBooks, shownRows } from '../tables/ledger.ts';
import { paint, paragraph, show, type Style } from './layout.ts';
import { drawTable } from './table.ts';

/** Where packets were lost, and whether the books balance. */
export function ledgerSection(report: Report, style: Style): string[] {
  const { ledger } = report;
  if (ledger === undefined || report.window.samples === 1) return [];
  const rows = shownRows(report, true);
  const books = shownBooks(report, true);
  return [
    paint(style, 'strong', 'WHERE PACKETS WERE LOST'),
    ...paragraph(show(style, ledgerWords(ledger)), style.width, '  ', 2),
    ...drawTable(style, ledgerTable, rows),
    ...(books.length === 0 ? [] : ['', ...drawTable(style, bookTable, books)]),
  ];
}
