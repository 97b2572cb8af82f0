import type { FleetHost } from '../../generated/fleet.ts';
import type { Table } from '../tables/table.ts';
import { hostCosts, hostName, hostWhy, hostWord } from './words.ts';

/** The hosts in order, and what is the matter with each. */
export const hostTable: Table<FleetHost> = [
  { label: '#', unit: 'number', cell: ({ rank }) => rank },
  { label: 'Host', unit: 'name', cell: hostName, most: 200 },
  { label: 'Verdict', unit: 'words', cell: hostWord },
  { label: 'Why', unit: 'words', cell: hostWhy },
  { label: 'Cost', unit: 'words', cell: hostCosts },
];
