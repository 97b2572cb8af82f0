import type { Ledger, LedgerBook, LedgerRow, Report } from '../../generated/report.ts';
import { thingsLost } from '../words/findings.ts';
import { placed } from '../words/phrases.ts';
import { formats } from '../words/formats.ts';
import type { Table } from './table.ts';

/** What the kernel drops. */
const PACKETS = 'packets';

/** Packets in all below which a part of them is no share. */
const FEW = 20;

/** Where packets were lost, one row for each reason and place. */
export const ledgerTable: Table<LedgerRow> = [
  { label: 'Reason', unit: 'name', cell: ({ reason }) => reason },
  { label: 'Place', unit: 'name', cell: ({ place }) => (place === '' ? null : place), unlessEmpty: ['text'] },
  { label: 'Device', unit: 'name', cell: ({ device, netns }) => placed(device === '' ? '?' : device, netns) },
  { label: 'Count', unit: 'count', cell: ({ packets }) => packets },
  // A share of a few packets is none.
  {
    label: 'Of arrived',
    unit: 'percent',
    cell: ({ share, packets }) => (share === null || share * FEW > packets ? null : share),
    unlessEmpty: ['text'],
  },
  { label: 'Kind', unit: 'words', cell: ({ kind, rule }) => (rule === null ? kind : `${kind}, ${rule}`) },
  { label: 'Because', unit: 'words', cell: ({ means }) => means },
];

/** The books: what came in, and what became of it. */
export const bookTable: Table<LedgerBook> = [
  { label: 'Namespace', unit: 'name', cell: ({ netns }) => (netns === '' ? 'this one' : netns) },
  { label: 'Frames in', unit: 'count', cell: ({ framesIn }) => framesIn },
  { label: 'Delivered', unit: 'count', cell: ({ delivered }) => delivered },
  { label: 'Forwarded', unit: 'count', cell: ({ forwarded }) => forwarded },
  { label: 'Lost', unit: 'count', cell: ({ lost }) => lost },
  { label: 'By policy', unit: 'count', cell: ({ policy }) => policy },
  { label: 'Noise, unnamed', unit: 'count', cell: ({ noise, unclear }) => noise + unclear },
  { label: 'Not accounted for', unit: 'count', cell: ({ notAccounted }) => notAccounted },
  { label: 'Dropped after that', unit: 'count', cell: ({ droppedAfter }) => droppedAfter },
];

/** What is shown: noise only where everything is. */
export function shownRows({ ledger }: Pick<Report, 'ledger'>, everything: boolean): readonly LedgerRow[] {
  return (ledger?.rows ?? []).filter(({ kind }) => everything || kind !== 'noise');
}

/** Books of namespaces in which something was dropped; all of them where everything is shown. */
export function shownBooks({ ledger }: Pick<Report, 'ledger'>, everything: boolean): readonly LedgerBook[] {
  return (ledger?.books ?? []).filter(
    ({ lost, policy, unclear, droppedAfter }) => everything || lost + policy + unclear + droppedAfter > 0,
  );
}

/** How it was counted, in a sentence; what it does not hold. */
export function ledgerWords(
  { counted, reason, rows, total, noRoom, sampling, estimated = 0, error = 0 }: Ledger,
  findings: Report['findings'],
): string {
  const told = findings.some(({ impact }) => (impact.lostPerSecond ?? 0) > 0);
  if (!counted)
    return `The kernel's drops were not counted by reason (${reason ?? 'no reason given'}). ${
      rows.length > 0
        ? 'This is what counters show.'
        : `Losses that counters tell of ${told ? 'are' : 'would be'} among the findings.`
    }`;
  const thinned =
    sampling > 1 ? `; in a flood one in up to ${formats.count(sampling)} was looked at and stands for the others` : '';
  const rested =
    estimated > 0
      ? `; the counter rested for most of a flood: ${formats.count(estimated)} are estimated, and the sum may be off by ${formats.count(error)}`
      : '';
  const left = noRoom > 0 ? `; ${formats.count(noRoom)} more had no room in the table` : '';
  return `${formats.count(total)} packet${total === 1 ? ' was' : 's were'} dropped by the kernel, all namespaces together${rested}${thinned}${left}.${inWordsOfFindings(rows)}`;
}

/** What rows count that have a finding which says it by another name, so that one loss has one word. */
function inWordsOfFindings(rows: readonly LedgerRow[]): string {
  const named = new Map<string, string>();
  for (const { rule } of rows) {
    const things = rule === null ? PACKETS : thingsLost(rule, {});
    // A connection is killed for want of memory, not for each packet that is dropped for it.
    if (rule !== null && things !== PACKETS && things !== 'connections') named.set(rule, things);
  }
  return named.size === 0
    ? ''
    : ` The rows of ${[...named].map(([rule, things]) => `${rule} count its ${things}`).join(', those of ')}.`;
}
