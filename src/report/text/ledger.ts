import type { Report } from '../../generated/report.ts';
import { bookTable, ledgerTable, ledgerWords, shownBooks, shownRows } from '../tables/ledger.ts';
import { lossesOf, lossTable } from '../tables/losses.ts';
import { paint, paragraph, show, type Style } from './layout.ts';
import { drawTable } from './table.ts';

/** Every loss that is counted at some place, and the places where none was. */
export function dropsSection(report: Report, style: Style): string[] {
  const { rows, none, unknown } = lossesOf(report);
  if (rows.length + none.length + unknown.length === 0) return [];
  const say = (label: string, kinds: readonly string[]): string[] =>
    kinds.length === 0 ? [] : paragraph(show(style, `${label}: ${kinds.join('; ')}.`), style.width, '  ', 2);
  return [
    paint(style, 'strong', 'LOSSES BY COUNTER'),
    ...drawTable(style, lossTable, rows),
    ...say('None counted', none),
    ...say('Not known', unknown),
  ];
}

/** Where packets were lost, and whether the books balance. */
export function ledgerSection(report: Report, style: Style): string[] {
  const { ledger } = report;
  if (ledger === undefined || report.window.samples === 1) return [];
  const rows = shownRows(report, true);
  const books = shownBooks(report, true);
  return [
    paint(style, 'strong', 'WHERE PACKETS WERE LOST'),
    ...paragraph(show(style, ledgerWords(ledger, report.findings)), style.width, '  ', 2),
    ...drawTable(style, ledgerTable, rows),
    ...(books.length === 0 ? [] : ['', ...drawTable(style, bookTable, books)]),
  ];
}
