import { barPair, reachWords } from '../words/bars.ts';
import { paint, paragraph, show, type Style } from './layout.ts';
import { drawTable } from './table.ts';
import { formats } from '../words/formats.ts';
import type { Comparison, PlaceChanges, SpanChanges } from '../compare/comparison.ts';
import { figureRows, figureTable, partChangeTable } from '../compare/tables.ts';
import { choose, findingsTold, sideWords, tapsTold, type ChangedThing } from '../compare/words.ts';

/** Places shown of each kind without --verbose. */
const MOST_PLACES = 6;
const BARS = 50;

export interface CompareTextOptions extends Style {
  /** Also what is within noise. */
  readonly verbose: boolean;
}

/** The comparison for a terminal: the sentence first, then what is beyond noise, then how noise was judged. */
export function renderComparisonText(comparison: Comparison, { verbose, ...style }: CompareTextOptions): string {
  const { headline, before, after, caveats, noise, cost, profile, devices, spans, cpus } = comparison;
  const said = (text: string): string[] => paragraph(show(style, text, 2000), style.width);
  const findings = findingsTold(comparison);
  const sections = [
    said(headline),
    [before, after].flatMap((side, index) =>
      paragraph(show(style, `${index === 0 ? 'before' : 'after '}  ${sideWords(side)}`), style.width, '', 8),
    ),
    caveats.length === 0 ? [] : caveats.flatMap((caveat) => said(`Note: ${caveat}`)),
    [
      paint(style, 'strong', 'COST'),
      ...drawTable(style, figureTable, figureRows({ place: '', figures: cost, reason: null }, true)),
    ],
    partLines(comparison, style),
    placeSection('PARTS', profile, style, verbose),
    placeSection('SPANS', spans, style, verbose, (shown) => shown.flatMap((span) => shiftLines(span, style))),
    placeSection('DEVICES', devices, style, verbose),
    placeSection('CPUS', cpus, style, verbose),
    toldSection('PACKET SOCKETS', tapsTold(comparison), style, 6, 600),
    findings.length === 0
      ? [paint(style, 'strong', 'FINDINGS'), '  none fired in either window']
      : toldSection('FINDINGS', findings, style, 8, 400),
    said(`How noise is judged: ${noise.method}`),
  ];
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}

/** Places with something beyond noise; all of them with --verbose. */
function placeSection<P extends PlaceChanges>(
  title: string,
  places: readonly P[],
  style: Style,
  verbose: boolean,
  beneath: (shown: readonly P[]) => readonly string[] = () => [],
): string[] {
  if (places.length === 0) return [];
  const { shown, lacking, rest } = choose(places, verbose ? places.length : MOST_PLACES, verbose);
  return [
    paint(style, 'strong', title),
    ...drawTable(
      style,
      figureTable,
      shown.flatMap((each) => figureRows(each, verbose)),
    ),
    ...lacking.flatMap(({ place, reason }) => paragraph(show(style, `${place}: ${reason ?? ''}`), style.width, '  ')),
    ...beneath(shown),
    ...(rest === '' ? [] : [`  ${rest}`]),
  ];
}

/** The histograms of a span one above the other, on one scale. */
function shiftLines({ place, histogram }: SpanChanges, style: Style): string[] {
  if (histogram === null) return [];
  const { before, after, ...bounds } = barPair(histogram.buckets, BARS, style.unicode);
  const reach = `${formats.ns(bounds.fromNs)} to ${reachWords(bounds)}`;
  return [
    ...paragraph(show(style, `${place}: packets by their time, ${reach}`), style.width, '  '),
    `    before |${before}|`,
    `    after  |${after}|`,
  ];
}

function partLines({ parts }: Comparison, style: Style): string[] {
  return parts.length === 0
    ? []
    : [paint(style, 'strong', 'WHAT IT IS MADE OF'), ...drawTable(style, partChangeTable, parts)];
}

function toldSection(
  title: string,
  told: readonly ChangedThing[],
  style: Style,
  column: number,
  most: number,
): string[] {
  if (told.length === 0) return [];
  return [
    paint(style, 'strong', title),
    ...told.flatMap(({ kind, words }) =>
      paragraph(show(style, `${kind.padEnd(column)}  ${words}`, most), style.width, '  ', column + 2),
    ),
  ];
}
