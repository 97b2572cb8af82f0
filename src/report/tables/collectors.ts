import { few, type CollectorGroup } from '../words/phrases.ts';
import type { Table } from './table.ts';

/** How the collectors fared. */
export const collectorTable: Table<CollectorGroup> = [
  { label: 'Collector', unit: 'words', cell: ({ row }) => row.id },
  { label: 'Status', unit: 'words', cell: ({ row }) => row.status, whole: true },
  { label: 'Took', unit: 'seconds', cell: ({ row }) => row.milliseconds / 1000 },
  {
    label: 'Namespaces',
    unit: 'words',
    cell: ({ netns }) => (netns.length === 0 ? null : few(netns)),
    unlessEmpty: ['text'],
  },
  { label: 'Why', unit: 'words', cell: ({ why }) => (why === '' ? null : why) },
];

/** Those that lack something, and why. */
export const lackingTable: Table<CollectorGroup> = [
  { label: 'Collector', unit: 'words', cell: ({ row }) => row.id },
  { label: 'Status', unit: 'words', cell: ({ row }) => row.status, whole: true },
  {
    label: 'Why',
    unit: 'words',
    cell: ({ why, netns }) => (netns.length === 0 ? why : `${why}, in namespace ${few(netns)}`),
  },
];
