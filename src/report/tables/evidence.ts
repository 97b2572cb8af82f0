import type { EvidenceLine } from '../../generated/report.ts';
import { limitOf, seriesName, withUnit } from '../words/units.ts';
import type { Table } from './table.ts';

export interface EvidenceTable {
  /** Labels that all lines have, to be said once above the table; empty where there are none. */
  readonly shared: string;
  readonly table: Table<EvidenceLine>;
}

/** What was read, what follows from it, and what it was compared with. */
export function evidenceTable(evidence: readonly EvidenceLine[]): EvidenceTable {
  const [first, ...others] = evidence;
  const shared = Object.entries(others.length === 0 ? {} : (first?.labels ?? {})).filter(([name, value]) =>
    others.every(({ labels }) => labels[name] === value),
  );
  const common = new Set(shared.map(([name]) => name));
  const series = ({ labels, ...line }: EvidenceLine): string =>
    seriesName({ ...line, labels: Object.fromEntries(Object.entries(labels).filter(([name]) => !common.has(name))) });
  return {
    shared: shared.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', '),
    table: [
      { label: 'Reading', unit: 'name', cell: series, most: 600 },
      { label: 'Before', unit: 'number', cell: ({ before }) => before },
      { label: 'After', unit: 'number', cell: ({ after }) => after },
      { label: 'Value', unit: 'words', cell: ({ value, unit }) => withUnit(value, unit), align: 'right' },
      { label: 'Limit', unit: 'words', cell: limitOf, align: 'right' },
    ],
  };
}

/** Readings that say something: a zero that nothing was compared with is for who wants everything. */
export function tellingEvidence(evidence: readonly EvidenceLine[]): readonly EvidenceLine[] {
  const zero = ({ before, after, value, threshold }: EvidenceLine): boolean =>
    value === 0 && (before ?? 0) === 0 && (after ?? 0) === 0 && threshold === null;
  return evidence.filter((line) => !zero(line));
}

export function zeroWords(hidden: number): string {
  return `${hidden} more reading${hidden === 1 ? ' was' : 's were'} zero at both ends`;
}
