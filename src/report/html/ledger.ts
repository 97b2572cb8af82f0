import type { Report } from '../../generated/report.ts';
import { bookTable, ledgerTable, ledgerWords, shownBooks, shownRows } from '../tables/ledger.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { drawTable } from './table.ts';

const ROWS = 200;

/** Where packets were lost, and whether the books balance. */
export function ledgerSection(report: Report): Markup {
  const { ledger } = report;
  if (ledger === undefined || report.window.samples === 1) return nothing;
  const rows = shownRows(report, false);
  const books = shownBooks(report, false);
  return markup`<section aria-labelledby="ledger">
<h2 id="ledger">Where packets were lost</h2>
<p>${ledgerWords(ledger, report.findings)}</p>
${rows.length === 0 ? nothing : drawTable(ledgerTable, rows, { caption: 'Drops by reason and place', className: 'stack', most: ROWS })}${
    books.length === 0
      ? nothing
      : drawTable(bookTable, books, { caption: 'The books of each namespace', className: 'stack', most: ROWS })
  }</section>
`;
}
