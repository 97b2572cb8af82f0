import type { CollectorStatus } from '../../generated/report.ts';
import { collectorGroups, few, type CollectorGroup } from '../words/phrases.ts';
import { everyFormat, type Table } from './table.ts';

/** How the collectors fared. */
export const collectorTable: Table<CollectorGroup> = [
  { label: 'Collector', unit: 'words', cell: ({ row }) => row.id },
  { label: 'Status', unit: 'words', cell: ({ row }) => row.status, whole: true },
  { label: 'Took', unit: 'seconds', cell: ({ row }) => row.milliseconds / 1000 },
  {
    label: 'Namespaces',
    unit: 'words',
    cell: ({ netns }) => (netns.length === 0 ? null : few(netns)),
    unlessEmpty: everyFormat,
  },
  { label: 'Why', unit: 'words', cell: ({ why }) => (why === '' ? null : why) },
];

/** Those that lack something. */
export function lackingRows(collectors: readonly CollectorStatus[]): CollectorGroup[] {
  return collectorGroups(collectors.filter(({ status }) => status === 'partial' || status === 'unavailable'));
}
