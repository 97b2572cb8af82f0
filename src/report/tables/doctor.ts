import type { Report } from '../../generated/report.ts';
import { few } from '../words/phrases.ts';
import { everyFormat, type Table } from './table.ts';

export interface ExaminedCollector extends Pick<Report['collectors'][number], 'id' | 'status'> {
  /** Series that it yielded. */
  readonly series: number;
  /** What reading it took. */
  readonly milliseconds: number;
  /** What could not be read, and why. */
  readonly gaps: readonly { readonly path: string; readonly reason: string }[];
}

/** What each collector could read. */
export const examinedTable: Table<ExaminedCollector> = [
  { label: 'Collector', unit: 'words', cell: ({ id }) => id },
  { label: 'Status', unit: 'words', cell: ({ status }) => status, whole: true },
  { label: 'Series', unit: 'count', cell: ({ series }) => series },
  { label: 'Took', unit: 'seconds', cell: ({ milliseconds }) => milliseconds / 1000 },
  {
    label: 'Why',
    unit: 'words',
    cell: ({ gaps }) => (gaps.length === 0 ? null : few(gaps.map(({ path, reason }) => `${path}: ${reason}`))),
    unlessEmpty: everyFormat,
  },
];
