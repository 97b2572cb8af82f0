import type { Tap } from '../generated/report.ts';
import type { Comparison, PlaceChanges, Side } from './compare.ts';
import type { FindingChange } from './compare-sets.ts';
import { paint, paragraph, show, table, type Style } from './layout.ts';
import type { Change, Unit } from './noise.ts';
import { formats } from './words.ts';

const right = { align: 'right' } as const;

/** Places shown of each kind without --verbose. */
const MOST_PLACES = 6;

export interface CompareTextOptions extends Style {
  /** Also what is within noise. */
  readonly verbose: boolean;
}

/** The comparison for a terminal: the sentence first, then what is beyond noise, then how noise was judged. */
export function renderComparisonText(comparison: Comparison, { verbose, ...style }: CompareTextOptions): string {
  const { headline, before, after, caveats, noise, cost, devices, spans, cpus } = comparison;
  const said = (text: string): string[] => paragraph(show(style, text, 2000), style.width);
  const sections = [
    said(headline),
    [...sideLines('before', before, style), ...sideLines('after', after, style)],
    caveats.length === 0 ? [] : caveats.flatMap((caveat) => said(`Note: ${caveat}`)),
    [paint(style, 'strong', 'COST'), ...figureTable([{ place: '', figures: cost, reason: null }], style, true)],
    partLines(comparison, style),
    placeSection('SPANS', spans, style, verbose),
    placeSection('DEVICES', devices, style, verbose),
    placeSection('CPUS', cpus, style, verbose),
    tapLines(comparison, style),
    findingLines(comparison, style),
    said(`How noise is judged: ${noise.method}`),
  ];
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}

function sideLines(name: string, side: Side, style: Style): string[] {
  const { source, hostname, kernel, startedAt, seconds, outcome } = side;
  const words = `${source}: ${hostname ?? 'unknown host'}, kernel ${kernel ?? 'unknown'}, ${startedAt}, ${formats.seconds(seconds)}, ${outcome}`;
  return paragraph(show(style, `${name.padEnd(6)}  ${words}`), style.width, '', 8);
}

/** Places with something beyond noise, the largest ratio first; all of them with --verbose. */
function placeSection(title: string, places: readonly PlaceChanges[], style: Style, verbose: boolean): string[] {
  if (places.length === 0) return [];
  const beyond = places.filter(({ figures }) => figures.some(isBeyond));
  const chosen = verbose ? places : beyond.slice(0, MOST_PLACES);
  const quiet = places.length - chosen.length;
  const lacking = places.filter(({ reason, figures }) => reason !== null && figures.length === 0);
  return [
    paint(style, 'strong', title),
    ...figureTable(chosen, style, verbose),
    ...(verbose ? [] : lacking.slice(0, MOST_PLACES)).flatMap(({ place, reason }) =>
      paragraph(show(style, `${place}: ${reason ?? ''}`), style.width, '  '),
    ),
    ...(beyond.length > chosen.length ? [`  ${beyond.length - chosen.length} more changed`] : []),
    ...(quiet > 0 && beyond.length <= chosen.length
      ? [`  no change beyond noise on ${quiet === 1 ? 'one other' : `${quiet} others`}`]
      : []),
  ];
}

function isBeyond({ verdict }: Change): boolean {
  return verdict === 'more' || verdict === 'less';
}

function figureTable(places: readonly PlaceChanges[], style: Style, all: boolean): string[] {
  const rows = places.flatMap(({ place, figures }) =>
    figures
      .filter((each) => all || isBeyond(each))
      .filter(({ before, after }) => before !== null || after !== null)
      .map((each) => [
        ...(place === '' ? [] : [show(style, place, 80)]),
        each.figure,
        write(each.before, each.unit, style),
        write(each.after, each.unit, style),
        differenceOf(each, style),
        write(each.noise, each.unit, style),
      ]),
  );
  if (rows.length === 0) return [];
  const named = places.some(({ place }) => place !== '');
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

function differenceOf({ difference, verdict, unit, ratio }: Change, style: Style): string {
  if (difference === null) return 'unknown';
  if (verdict === 'within-noise') return 'within noise';
  const factor = ratio === null || ratio < 2 ? '' : ` (x${ratio.toFixed(1)})`;
  return `${difference > 0 ? '+' : ''}${write(difference, unit, style)}${factor}`;
}

function write(value: number | null, unit: Unit, style: Style): string {
  if (value === null) return '-';
  const format = unit === 'ns' ? formats.ns : unit === 'percent' ? formats.percent : formats.rate;
  return show(style, unit === 'ratio' ? formats.number(value) : format(value));
}

function partLines({ parts }: Comparison, style: Style): string[] {
  if (parts.length === 0) return [];
  const rows = parts.map(({ part, beforeNs, afterNs, shareOfDifference }) => [
    part,
    write(beforeNs, 'ns', style),
    write(afterNs, 'ns', style),
    shareOfDifference === null ? '-' : formats.percent(shareOfDifference),
  ]);
  const heads = [
    { head: 'Part' },
    { head: 'Before', ...right },
    { head: 'After', ...right },
    { head: 'Share of the difference', ...right },
  ];
  return [paint(style, 'strong', 'WHAT IT IS MADE OF'), ...table(style, heads, rows)];
}

function tapLines({ taps }: Comparison, style: Style): string[] {
  const lines = [
    ...taps.came.map((tap) => `came    ${tapWords(tap)}`),
    ...taps.went.map((tap) => `went    ${tapWords(tap)}`),
    ...taps.stayed
      .filter(({ price }) => isBeyond(price))
      .map(({ tap, price }) => `price   ${tapWords(tap)}: ${differenceOf(price, style)}`),
  ];
  if (lines.length === 0) return [];
  return [
    paint(style, 'strong', 'PACKET SOCKETS'),
    ...lines.flatMap((line) => paragraph(show(style, line), style.width, '  ', 8)),
  ];
}

function tapWords({ owners, device, netns, onHotPath, nsPerPacket, protocol }: Tap): string {
  const owner = owners.map(({ comm, pid }) => `${comm} (${pid})`).join(', ');
  const place = netns === '' ? device : `${device} in ${netns}`;
  const path = onHotPath ? 'on the path of every packet' : `protocol ${protocol} only`;
  const price = nsPerPacket === null ? '' : `, ${formats.ns(nsPerPacket)} a packet`;
  return `${owner === '' ? 'unknown owner' : owner} on ${place}, ${path}${price}`;
}

function findingLines({ findings }: Comparison, style: Style): string[] {
  const kinds = [
    ['appeared', findings.appeared],
    ['went', findings.went],
    ['changed', findings.changed],
    ['stayed', findings.stayed],
    ['unjudged', findings.unjudged],
  ] as const;
  const lines = kinds.flatMap(([kind, changes]) => changes.map((each) => findingWords(kind, each)));
  return [
    paint(style, 'strong', 'FINDINGS'),
    ...(lines.length === 0 ? ['  none fired in either window'] : []),
    ...lines.flatMap((line) => paragraph(show(style, line, 400), style.width, '  ', 10)),
  ];
}

function findingWords(kind: string, { code, rule, before, after }: FindingChange): string {
  const outcome = (state: FindingChange['before']): string => (state === null ? 'nothing' : state.outcome);
  const summary = (kind === 'went' ? before : (after ?? before))?.summary ?? '';
  const steps = kind === 'stayed' ? outcome(after) : `${outcome(before)} → ${outcome(after)}`;
  return `${kind.padEnd(8)}  ${code} ${rule} (${steps}): ${summary}`;
}
