import type { Report } from '../../generated/report.ts';
import { bookTable, ledgerTable, ledgerWords, shownBooks, shownRows } from '../tables/ledger.ts';
import { folded, prose } from './syntax.ts';
import { drawTable } from './table.ts';

/** Where packets were lost, and whether the books balance. */
export function ledgerLines(report: Report, most: number): string[] {
  const { ledger } = report;
  if (ledger === undefined || report.window.samples === 1) return [];
  const rows = shownRows(report, false);
  const books = shownBooks(report, false);
  return [
    '### Where packets were lost',
    '',
    prose(ledgerWords(ledger, report.findings)),
    '',
    ...drawTable(ledgerTable, rows.slice(0, most)),
    '',
    ...(rows.length > most ? [`and ${rows.length - most} more in the JSON report`, ''] : []),
    ...(books.length === 0 ? [] : folded('The books of each namespace', drawTable(bookTable, books.slice(0, most)))),
  ];
}
