import type { Comparison, PlaceChanges, SpanChanges } from './compare.ts';
import { choose, figureRows, findingsTold, partRows, sideWords, tapsTold, type Told } from './compare-words.ts';
import { barPair } from './histogram.ts';
import { paint, paragraph, show, table, type Style } from './layout.ts';
import { formats } from './words.ts';

const right = { align: 'right' } as const;

/** Places shown of each kind without --verbose. */
const MOST_PLACES = 6;
const BARS = 50;

export interface CompareTextOptions extends Style {
  /** Also what is within noise. */
  readonly verbose: boolean;
}

/** The comparison for a terminal: the sentence first, then what is beyond noise, then how noise was judged. */
export function renderComparisonText(comparison: Comparison, { verbose, ...style }: CompareTextOptions): string {
  const { headline, before, after, caveats, noise, cost, devices, spans, cpus } = comparison;
  const said = (text: string): string[] => paragraph(show(style, text, 2000), style.width);
  const findings = findingsTold(comparison);
  const sections = [
    said(headline),
    [before, after].flatMap((side, index) =>
      paragraph(show(style, `${index === 0 ? 'before' : 'after '}  ${sideWords(side)}`), style.width, '', 8),
    ),
    caveats.length === 0 ? [] : caveats.flatMap((caveat) => said(`Note: ${caveat}`)),
    [paint(style, 'strong', 'COST'), ...figureTable([{ place: '', figures: cost, reason: null }], style, true)],
    partLines(comparison, style),
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
    ...figureTable(shown, style, verbose),
    ...lacking.flatMap(({ place, reason }) => paragraph(show(style, `${place}: ${reason ?? ''}`), style.width, '  ')),
    ...beneath(shown),
    ...(rest === '' ? [] : [`  ${rest}`]),
  ];
}

function figureTable(places: readonly PlaceChanges[], style: Style, all: boolean): string[] {
  const named = places.some(({ place }) => place !== '');
  const rows = places.flatMap((each) =>
    figureRows(each, all).map((cells) => [
      ...(named ? [show(style, each.place, 80)] : []),
      ...cells.map((cell) => show(style, cell)),
    ]),
  );
  if (rows.length === 0) return [];
  const heads = [
    ...(named ? [{ head: 'Where' }] : []),
    { head: 'What' },
    { head: 'Before', ...right },
    { head: 'After', ...right },
    { head: 'Difference', ...right },
    { head: 'Noise', ...right },
  ];
  return table(style, heads, rows);
}

/** The histograms of a span one above the other, on one scale. */
function shiftLines({ place, histogram }: SpanChanges, style: Style): string[] {
  if (histogram === null) return [];
  const { before, after, fromNs, toNs } = barPair(histogram.buckets, BARS, style.unicode);
  const reach = `${formats.ns(fromNs)} to ${toNs === null ? 'beyond all bounds' : formats.ns(toNs)}`;
  return [
    ...paragraph(show(style, `${place}: packets by their time, ${reach}`), style.width, '  '),
    `    before |${before}|`,
    `    after  |${after}|`,
  ];
}

function partLines(comparison: Comparison, style: Style): string[] {
  const rows = partRows(comparison).map((cells) => cells.map((cell) => show(style, cell)));
  if (rows.length === 0) return [];
  const heads = [
    { head: 'Part' },
    { head: 'Before', ...right },
    { head: 'After', ...right },
    { head: 'Share of the difference', ...right },
  ];
  return [paint(style, 'strong', 'WHAT IT IS MADE OF'), ...table(style, heads, rows)];
}

function toldSection(title: string, told: readonly Told[], style: Style, column: number, most: number): string[] {
  if (told.length === 0) return [];
  return [
    paint(style, 'strong', title),
    ...told.flatMap(({ kind, words }) =>
      paragraph(show(style, `${kind.padEnd(column)}  ${words}`, most), style.width, '  ', column + 2),
    ),
  ];
}
