import { barPair, reachWords } from '../words/bars.ts';
import { code, folded, prose } from './syntax.ts';
import { drawTable } from './table.ts';
import { formats } from '../words/formats.ts';
import type { Comparison, PlaceChanges, SpanChanges } from '../compare/comparison.ts';
import { changesOf, choose, findingsTold, isBeyond, sideWords, tapsTold, type ChangedThing } from '../compare/words.ts';
import { figureRows, figureTable, partChangeTable } from '../compare/tables.ts';

/** GitHub takes 65,536 characters in one text; the ticket needs some for itself. */
const MOST = 60_000;
/** Places and findings told, fewer and fewer until it fits. */
const ROWS = [40, 12, 5, 2];
/** More than so many lines are folded away. */
const LONG = 8;
const BARS = 50;

export interface CompareMarkdownOptions {
  /** Also what is within noise. */
  readonly verbose: boolean;
}

/** The comparison for a ticket: the sentence and the cost in full view, the places folded away. */
export function renderComparisonMarkdown(comparison: Comparison, { verbose }: CompareMarkdownOptions): string {
  let text = '';
  for (const rows of ROWS) {
    text = document(comparison, rows, verbose);
    if (text.length <= MOST) break;
  }
  return text;
}

function document(comparison: Comparison, rows: number, verbose: boolean): string {
  const { headline, before, after, caveats, noise, cost, devices, spans, cpus, tool, parts, profile } = comparison;
  const lines = [
    '## pktcost: what changed between two windows',
    '',
    `**${prose(headline)}**`,
    '',
    `- before: ${prose(sideWords(before))}`,
    `- after: ${prose(sideWords(after))}`,
    ...caveats.map((caveat) => `- Note: ${prose(caveat)}`),
    '',
    '### Cost of a packet',
    '',
    ...drawTable(figureTable, figureRows({ place: '', figures: cost, reason: null }, true)),
    '',
    ...(parts.length === 0 ? [] : ['What it is made of:', '', ...drawTable(partChangeTable, parts), '']),
    ...places('Parts', profile, rows, verbose),
    ...told('Packet sockets', tapsTold(comparison), rows),
    ...told('Findings', findingsTold(comparison), rows, 'None fired in either window.'),
    ...places('Spans', spans, rows, verbose, (shown) => shown.flatMap(shiftLines)),
    ...places('Devices', devices, rows, verbose),
    ...places('CPUs', cpus, rows, verbose),
    ...folded('How noise is judged', [prose(noise.method)]),
    `pktcost ${prose(tool.version)}.`,
  ];
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

function told(title: string, all: readonly ChangedThing[], rows: number, none = ''): string[] {
  if (all.length === 0) return none === '' ? [] : [`### ${title}`, '', none, ''];
  const lines = [
    ...all.slice(0, rows).map(({ kind, words }) => `- **${kind}** ${prose(words)}`),
    ...(all.length > rows ? [`- and ${formats.count(all.length - rows)} more in the JSON`] : []),
  ];
  return [`### ${title}`, '', ...unfoldedOrFolded(`${title}: ${all.length}`, lines), ''];
}

/** Places with something beyond noise; what is within it only when everything was asked for. */
function places<P extends PlaceChanges>(
  title: string,
  all: readonly P[],
  rows: number,
  verbose: boolean,
  beneath: (shown: readonly P[]) => readonly string[] = () => [],
): string[] {
  if (all.length === 0) return [];
  const { shown, lacking, rest } = choose(all, rows, verbose);
  const figures = shown.flatMap((each) => figureRows(each, verbose));
  const lines = [
    ...(figures.length === 0 ? [] : [...drawTable(figureTable, figures), '']),
    ...lacking.map(({ place, reason }) => `- ${code(place)}: ${prose(reason ?? '')}`),
    ...beneath(shown),
    ...(rest === '' ? [] : ['', `${rest.slice(0, 1).toUpperCase()}${rest.slice(1)}.`]),
  ];
  const changed = all.filter((place) => changesOf(place).some(isBeyond)).length;
  return [
    `### ${title}`,
    '',
    ...unfoldedOrFolded(`${title}: ${changed} of ${all.length} changed beyond noise`, lines),
    '',
  ];
}

function unfoldedOrFolded(summary: string, lines: readonly string[]): readonly string[] {
  return lines.length <= LONG ? lines : folded(summary, lines);
}

/** The histograms of a span one above the other, on one scale. */
function shiftLines({ place, histogram }: SpanChanges): string[] {
  if (histogram === null) return [];
  const { before, after, ...bounds } = barPair(histogram.buckets, BARS, true);
  const reach = `${formats.ns(bounds.fromNs)} to ${reachWords(bounds)}`;
  return [
    '',
    `${code(place)}, packets by their time, ${reach}:`,
    '',
    '```text',
    `before |${before}|`,
    `after  |${after}|`,
    '```',
  ];
}
