import { everyFormat, type Table } from '../tables/table.ts';
import { partWords } from '../words/phrases.ts';
import type { PartChange, PlaceChanges, SpanChanges } from './comparison.ts';
import type { Change } from './noise.ts';
import { changesOf, differenceOf, figureOf, isBeyond } from './words.ts';

/** A figure that changed, and where. */
export interface FigureRow {
  /** Empty for the whole host. */
  readonly place: string;
  readonly change: Change;
}

/** Every figure worth a row. */
export function figureRows(place: PlaceChanges | SpanChanges, everything: boolean): readonly FigureRow[] {
  return changesOf(place)
    .filter((each) => everything || isBeyond(each))
    .filter(({ before, after }) => before !== null || after !== null)
    .map((change) => ({ place: place.place, change }));
}

/** Before, after, difference and noise of figures. */
export const figureTable: Table<FigureRow> = [
  {
    label: 'Where',
    unit: 'name',
    cell: ({ place }) => (place === '' ? null : place),
    unlessEmpty: everyFormat,
    most: 80,
  },
  { label: 'What', unit: 'words', cell: ({ change }) => change.figure },
  { label: 'Before', unit: 'number', cell: ({ change }) => figureOf(change.before, change.unit) },
  { label: 'After', unit: 'number', cell: ({ change }) => figureOf(change.after, change.unit) },
  { label: 'Difference', unit: 'words', cell: ({ change }) => differenceOf(change), align: 'right' },
  { label: 'Noise', unit: 'number', cell: ({ change }) => figureOf(change.noise, change.unit) },
];

/** What the difference is made of. */
export const partChangeTable: Table<PartChange> = [
  { label: 'Part', unit: 'words', cell: ({ part }) => partWords[part].name },
  { label: 'Before', unit: 'ns', cell: ({ beforeNs }) => beforeNs },
  { label: 'After', unit: 'ns', cell: ({ afterNs }) => afterNs },
  { label: 'Share of the difference', unit: 'percent', cell: ({ shareOfDifference }) => shareOfDifference },
];
