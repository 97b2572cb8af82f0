import { ledgerLines } from './ledger.ts';
import type { Report } from '../../generated/report.ts';
import { packetSocketTable } from '../tables/packet-sockets.ts';
import { againstBaseline, type AgainstBaseline } from '../compare/against-baseline.ts';
import { besideTaps, type ListedTaps } from '../words/listed-taps.ts';
import { hotCount } from '../words/phrases.ts';
import { prose } from './syntax.ts';
import { drawTable } from './table.ts';
import { more } from './cut.ts';
import { verdictSection } from './verdict.ts';
import { findingsSection } from './findings.ts';
import { costSection, dropsSection } from './cost.ts';
import { notMeasuredSection, runSection } from './run.ts';

/** GitHub takes 65,536 characters in one text; the ticket needs some for itself. */
const MOST = 60_000;
/** Rows of a table and findings told, fewer and fewer until the report fits. */
const ROWS = [60, 15, 5, 2];

export interface MarkdownOptions {
  /** The report given with --baseline. */
  readonly baseline?: Report | null | undefined;
}

/** The report for a ticket: the verdict, what to type, and the evidence folded away. */
export function renderMarkdown(report: Report, { baseline }: MarkdownOptions = {}): string {
  const against = againstBaseline(report, baseline);
  let text = '';
  for (const rows of ROWS) {
    text = document(report, against, rows);
    if (text.length <= MOST) break;
  }
  return text;
}

function document(report: Report, against: AgainstBaseline | undefined, rows: number): string {
  const lines = [
    ...verdictSection(report, against),
    ...findingsSection(report, rows),
    ...tapsSection(report, rows),
    ...costSection(report, rows),
    ...dropsSection(report, rows),
    ...ledgerLines(report, rows),
    ...notMeasuredSection(report, rows),
    ...runSection(report, rows),
  ];
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

/** The packet sockets alone, and what is to be known of the prices. */
export function tapsPage(listed: ListedTaps): string {
  const said = besideTaps(listed).flatMap((each) => ['', prose(each)]);
  return `${[...tapsSection(listed, Infinity), ...said].join('\n').trim()}\n`;
}

function tapsSection(listed: Pick<Report, 'taps' | 'tapsLeftOut'>, rows: number): string[] {
  const { taps: found, tapsLeftOut = 0 } = listed;
  if (found.length === 0) return [];
  const shown = found.slice(0, rows);
  return [
    '### Packet sockets and their cost',
    '',
    `${found.length + tapsLeftOut} packet socket${found.length === 1 ? '' : 's'}, ${hotCount(listed)} on the path of every packet.`,
    '',
    ...drawTable(packetSocketTable(found), shown),
    '',
    ...more(found.length - shown.length + tapsLeftOut),
  ];
}
