import type { Report } from '../../generated/report.ts';
import { fired } from '../words/findings.ts';
import { ownerWords, placed } from '../words/phrases.ts';
import type { Table } from './table.ts';

export interface Loss {
  readonly where: string;
  readonly counts: string;
  readonly packets: number | null;
  readonly perSecond: number | null;
}

/** Where packets were lost in the window. */
export const lossTable: Table<Loss> = [
  { label: 'Where', unit: 'name', cell: ({ where }) => where },
  { label: 'What', unit: 'words', cell: ({ counts }) => counts },
  { label: 'Lost', unit: 'count', cell: ({ packets }) => packets },
  { label: 'Per second', unit: 'rate', cell: ({ perSecond }) => perSecond },
];

export interface Losses {
  readonly rows: readonly Loss[];
  /** Kinds of loss of which nothing was counted, and kinds that could not be read. */
  readonly none: readonly string[];
  readonly unknown: readonly string[];
}

interface Found {
  readonly where: string;
  readonly count: number | null;
  /** What was counted, where it is not as the kind says. */
  readonly counts?: string;
}

/** Every loss the report knows a count of. Device and backlog drops are one stage each; nothing here is a sum. */
export function lossesOf({ cost, taps, findings, window, ledger }: Report): Losses {
  const rate = (count: number): number | null => (window.seconds > 0 ? count / window.seconds : null);
  // By the counter that PKT0501 goes by: drivers have names of their own for what is not in rx_missed_errors.
  const byCard = (ledger?.rows ?? []).filter(({ rule }) => rule === 'PKT0501');
  const kinds: { kind: string; found: Found[] }[] = [
    {
      kind: 'no room in the NIC (rx_missed_errors)',
      found: cost.devices.flatMap(({ device, netns, missed }): Found[] => {
        const where = placed(device, netns);
        const own = byCard.filter((row) => row.device === device && row.netns === netns && row.kind === 'loss');
        const named = own.map(({ reason, packets }) => ({
          where,
          count: packets,
          ...(packets !== missed && { counts: `lost by the NIC (${reason})` }),
        }));
        return named.length > 0 ? named : [{ where, count: missed }];
      }),
    },
    {
      kind: 'dropped by the device or above it (rx_dropped)',
      found: cost.devices.map(({ device, netns, dropped, missed }) => ({
        where: placed(device, netns),
        count: dropped === null ? null : Math.max(0, dropped - (missed ?? 0)),
      })),
    },
    {
      kind: 'backlog full (softnet dropped)',
      found: cost.cpus.map(({ cpu, dropped }) => ({ where: `CPU ${cpu}`, count: dropped })),
    },
    {
      kind: 'packet socket full: the capture is incomplete',
      found: taps
        .filter(({ hook, ring }) => hook !== 'none' && ring === 'none')
        .map((tap) => ({ where: `${ownerWords(tap.owners)} on ${placed(tap.device, tap.netns)}`, count: tap.drops })),
    },
  ];
  const rows = kinds.flatMap(({ kind, found }) =>
    found.flatMap(({ where, count, counts }) =>
      count === null || count === 0 ? [] : [{ where, counts: counts ?? kind, packets: count, perSecond: rate(count) }],
    ),
  );
  const judged = findings.flatMap((finding) => {
    const { lostPerSecond } = finding.impact;
    return fired(finding) && lostPerSecond !== null && lostPerSecond > 0
      ? [{ where: `${finding.code} ${finding.rule}`, counts: finding.title, packets: null, perSecond: lostPerSecond }]
      : [];
  });
  const read = ({ found }: (typeof kinds)[number]): boolean => found.some(({ count }) => count !== null);
  return {
    rows: [...judged, ...rows.sort((a, b) => b.packets - a.packets)],
    none: kinds
      .filter((each) => read(each) && each.found.every(({ count }) => count === null || count === 0))
      .map(({ kind }) => kind),
    unknown: kinds.filter((each) => each.found.length > 0 && !read(each)).map(({ kind }) => kind),
  };
}
