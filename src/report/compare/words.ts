import type { Tap } from '../../generated/report.ts';
import type { Figure } from '../tables/table.ts';
import { ownerWords, placed } from '../words/phrases.ts';
import { formats } from '../words/formats.ts';
import type { Comparison, PlaceChanges, Side, SpanChanges } from './comparison.ts';
import type { FindingChange } from './sets.ts';
import type { Change, ChangeUnit } from './noise.ts';

export function sideWords({ source, hostname, kernel, startedAt, seconds, outcome }: Side): string {
  return `${source}: ${hostname ?? 'unknown host'}, kernel ${kernel ?? 'unknown'}, ${startedAt}, ${formats.seconds(seconds)}, ${outcome}`;
}

/** Places of one kind, chosen for the reader. */
export interface ChosenPlaces<P extends PlaceChanges> {
  readonly shown: readonly P[];
  /** Places with nothing to compare. */
  readonly lacking: readonly P[];
  /** What is left out, in words; empty when nothing is. */
  readonly rest: string;
}

/** Places with something beyond noise, as many as `most`; all of them for whoever wants everything. */
export function choose<P extends PlaceChanges>(
  places: readonly P[],
  most: number,
  everything: boolean,
): ChosenPlaces<P> {
  const beyond = places.filter((place) => changesOf(place).some(isBeyond));
  const shown = everything ? places.slice(0, most) : beyond.slice(0, most);
  const quiet = places.length - shown.length;
  const left = (everything ? places.length : beyond.length) - shown.length;
  const rest =
    left > 0
      ? `${left} more${everything ? '' : ' changed'}`
      : quiet > 0
        ? `no change beyond noise on ${quiet === 1 ? 'one other' : `${quiet} others`}`
        : '';
  const lacking = places.filter(({ reason, figures }) => reason !== null && figures.length === 0);
  return { shown, lacking: lacking.slice(0, most), rest };
}

/** The figures of a place, for a span also where its histogram moved. */
export function changesOf(place: PlaceChanges | SpanChanges): readonly Change[] {
  if (!('histogram' in place) || place.histogram === null) return place.figures;
  return [...place.figures, place.histogram.share];
}

export function isBeyond({ verdict }: Change): boolean {
  return verdict === 'more' || verdict === 'less';
}

export function differenceOf({ difference, verdict, unit, ratio }: Change): string {
  if (difference === null) return 'unknown';
  if (verdict === 'within-noise') return 'within noise';
  // How many times a share is of a share says little, and of next to nothing anything.
  const factor = ratio === null || ratio < 2 || unit === 'percent' ? '' : ` (x${formats.number(ratio)})`;
  return `${difference > 0 ? '+' : ''}${formats[unit === 'ratio' ? 'number' : unit](difference)}${factor}`;
}

/** A figure of a comparison as a cell. */
export function figureOf(value: number | null, unit: ChangeUnit): Figure | null {
  return value === null ? null : { figure: value, unit: unit === 'ratio' ? 'number' : unit };
}

/** A thing that changed: what happened to it, and the rest of the sentence. */
export interface ChangedThing {
  readonly kind: string;
  readonly words: string;
}

export function tapsTold({ taps }: Comparison): readonly ChangedThing[] {
  return [
    ...taps.came.map((tap) => ({ kind: 'came', words: tapWords(tap) })),
    ...taps.went.map((tap) => ({ kind: 'went', words: tapWords(tap) })),
    ...taps.stayed
      .filter(({ price }) => isBeyond(price))
      .map(({ tap, price }) => ({ kind: 'price', words: `${tapWords(tap)}: ${differenceOf(price)}` })),
  ];
}

function tapWords({ owners, device, netns, onHotPath, nsPerPacket, protocol }: Tap): string {
  const every = Number.parseInt(protocol, 16) === 3 ? 'every packet' : `every packet of protocol ${protocol}`;
  const path = onHotPath ? `on the path of ${every}` : `protocol ${protocol} only`;
  const price = nsPerPacket === null ? '' : `, ${formats.ns(nsPerPacket)} a packet`;
  return `${ownerWords(owners)} on ${placed(device, netns)}, ${path}${price}`;
}

export function findingsTold({ findings }: Comparison): readonly ChangedThing[] {
  const kinds = ['appeared', 'went', 'changed', 'stayed', 'unjudged'] as const;
  return kinds.flatMap((kind) => findings[kind].map((each) => ({ kind, words: findingWords(kind, each) })));
}

function findingWords(kind: string, { code, rule, before, after }: FindingChange): string {
  const outcome = (state: FindingChange['before']): string => (state === null ? 'nothing' : state.outcome);
  const summary = (kind === 'went' ? before : (after ?? before))?.summary ?? '';
  const steps = kind === 'stayed' ? outcome(after) : `${outcome(before)} → ${outcome(after)}`;
  return `${code} ${rule} (${steps}): ${summary}`;
}
