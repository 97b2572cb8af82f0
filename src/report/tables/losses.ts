import type { Place, Report, ReportFinding } from '../../generated/report.ts';
import { fired, thingsLost } from '../words/findings.ts';
import { howMany } from '../words/formats.ts';
import { few, ownerWords, placed } from '../words/phrases.ts';
import { droppedAbove } from './device-losses.ts';
import { perSecond, secondsByDevice, secondsOf } from './rates.ts';
import { everyFormat, type Table } from './table.ts';

export interface Loss {
  readonly where: string;
  readonly counts: string;
  /** Code of the finding that judges it; null where none fired. */
  readonly finding: string | null;
  /** In the window, of what `things` names. */
  readonly lost: number | null;
  readonly perSecond: number | null;
  readonly things: string;
}

/** Where packets were lost in the window. */
export const lossTable: Table<Loss> = [
  { label: 'Where', unit: 'name', cell: ({ where }) => where },
  { label: 'What', unit: 'words', cell: ({ counts }) => counts },
  { label: 'Finding', unit: 'words', cell: ({ finding }) => finding, whole: true, unlessEmpty: everyFormat },
  { label: 'Lost', unit: 'words', align: 'right', cell: lostWords },
  { label: 'Per second', unit: 'rate', cell: ({ perSecond }) => perSecond },
];

function lostWords({ lost, things }: Loss): string | null {
  return lost === null ? null : howMany(lost, things);
}

export interface Losses {
  readonly rows: readonly Loss[];
  /** Kinds of loss of which nothing was counted, and kinds that could not be read. */
  readonly none: readonly string[];
  readonly unknown: readonly string[];
}

interface Found {
  readonly where: string;
  readonly at: LossPlace;
  readonly count: number | null;
  /** Seconds in which it was counted. */
  readonly seconds: number;
  /** What was counted, where it is not as the kind says. */
  readonly counts?: string;
}

/** The device or the CPU that lost it; neither for a socket. */
interface LossPlace {
  readonly device?: string;
  readonly netns?: string;
  readonly cpu?: string;
}

interface LossKind {
  readonly kind: string;
  /** The rule that judges it: its finding is of the same packets, and no loss beside them. */
  readonly rule: string | null;
  /** It was read where each of them was; else where one was. */
  readonly each?: boolean;
  readonly found: readonly Found[];
}

/** Every loss the report knows a count of. Device and backlog drops are one stage each; nothing here is a sum. */
export function lossesOf(report: Report): Losses {
  const { findings, window } = report;
  const kinds = kindsOf(report);
  const losing = findings.filter((finding) => fired(finding) && (finding.impact.lostPerSecond ?? 0) > 0);
  const told = new Set<ReportFinding>();
  // Why a program lost something is no loss beside what it lost.
  const reasons = new Set(
    report.verdict.causes
      .filter(({ leadsTo }) => leadsTo.some(({ finding }) => losing.some((each) => each === findings[finding])))
      .map(({ finding }) => findings[finding]),
  );
  const rows = kinds.flatMap(({ kind, rule, found }) =>
    found.flatMap(({ where, at, count, seconds, counts }) => {
      if (count === null || count === 0) return [];
      const mine = losing.filter((each) => each.code === rule && isAt(each.place, at));
      for (const each of mine) told.add(each);
      const finding = mine.length > 0 ? rule : null;
      return [
        {
          where,
          counts: counts ?? kind,
          finding,
          lost: count,
          perSecond: perSecond(count, seconds),
          things: thingsLost(rule ?? '', {}),
        },
      ];
    }),
  );
  const judged = losing
    .filter((finding) => !told.has(finding) && !reasons.has(finding))
    .map(({ code, args, title, place, impact }) => ({
      where: whereOf(place),
      counts: title,
      finding: code,
      lost: window.seconds > 0 ? Math.round((impact.lostPerSecond ?? 0) * window.seconds) : null,
      perSecond: impact.lostPerSecond,
      things: thingsLost(code, args),
    }));
  const nothing = kinds.filter(
    ({ found }) => found.length > 0 && found.every(({ count }) => count === null || count === 0),
  );
  const read = ({ found, each = false }: LossKind): boolean =>
    each ? found.every(({ count }) => count !== null) : found.some(({ count }) => count !== null);
  return {
    rows: [...judged, ...rows.sort((a, b) => b.lost - a.lost)],
    none: nothing.filter(read).map(({ kind }) => kind),
    unknown: nothing.filter((each) => !read(each)).map(({ kind }) => kind),
  };
}

function kindsOf(report: Report): readonly LossKind[] {
  const { cost, taps, ledger, window } = report;
  const [ofDevices, ofCpus, ofDevice] = [
    secondsOf(report, 'devices'),
    secondsOf(report, 'cpus'),
    secondsByDevice(report),
  ];
  // By the counter that PKT0501 goes by: drivers have names of their own for what is not in rx_missed_errors.
  const { leftOutLost: unlisted } = cost;
  const listed = new Set(cost.devices.map(({ device, netns }) => placed(device, netns)));
  const byCard = (ledger?.rows ?? []).filter(
    ({ rule, kind, device, netns }) =>
      rule === 'PKT0501' && kind === 'loss' && (unlisted === undefined || listed.has(placed(device, netns))),
  );
  const others = (count: number): Found[] =>
    unlisted === undefined
      ? []
      : [{ where: howMany(unlisted.devices, 'other devices'), at: {}, count, seconds: ofDevices }];
  const ofCard = (device: string, netns: string): typeof byCard =>
    byCard.filter((row) => row.device === device && row.netns === netns);
  return [
    {
      kind: 'lost by the NIC',
      rule: 'PKT0501',
      found: [
        // A card that lost all that came is not among the devices that received something.
        ...byCard.map(({ device, netns, reason, packets }) => ({
          where: placed(device, netns),
          at: { device, netns },
          count: packets,
          seconds: ofDevice({ device, netns }),
          counts: `lost by the NIC (${reason})`,
        })),
        ...cost.devices
          .filter(({ device, netns, kind, cardLost }) => {
            const virtual = kind !== null && kind !== '' && kind !== 'physical';
            return ofCard(device, netns).length === 0 && !(virtual && cardLost === null);
          })
          .map(({ device, netns, missed, cardLost }) => ({
            where: placed(device, netns),
            at: { device, netns },
            count: cardLost === undefined ? missed : cardLost,
            seconds: ofDevice({ device, netns }),
          })),
        ...others(unlisted?.cardLost ?? 0),
      ],
    },
    {
      kind: 'dropped by the device or above it (rx_dropped)',
      rule: null,
      found: [
        ...cost.devices.map((each) => ({
          where: placed(each.device, each.netns),
          at: { device: each.device, netns: each.netns },
          count: droppedAbove(each),
          seconds: ofDevice(each),
        })),
        ...others(unlisted?.dropped ?? 0),
      ],
    },
    {
      kind: 'backlog full (softnet dropped)',
      rule: 'PKT0502',
      found: cost.cpus.map(({ cpu, dropped }) => ({
        where: cpuName(cpu),
        at: { cpu },
        count: dropped,
        seconds: ofCpus,
      })),
    },
    {
      kind: 'packet socket full (the capture is incomplete)',
      rule: 'PKT0709',
      // Rings are read by the probe alone: other sockets that lost nothing say nothing of them.
      each: true,
      found: taps
        .filter(({ hook, drops }) => hook !== 'none' || (drops ?? 0) > 0)
        .map((tap) => ({
          where: `${ownerWords(tap.owners)} on ${placed(tap.device, tap.netns)}`,
          at: {},
          count: tap.drops,
          seconds: tap.dropsSeconds ?? window.seconds,
        })),
    },
  ];
}

const cpuName = (cpu: string): string => `CPU ${cpu}`;

/** Whether a loss is at the place of a finding, as far as both name one. */
function isAt({ device, netns, cpus }: Place, at: LossPlace): boolean {
  if (device !== null && at.device !== undefined) return at.device === device && at.netns === (netns ?? '');
  return at.cpu === undefined || cpus.length === 0 || cpus.includes(at.cpu);
}

function whereOf({ device, netns, cpus }: Place): string {
  if (device !== null) return placed(device, netns ?? '');
  if (cpus.length > 0) return few(cpus.map(cpuName));
  return placed('host', netns ?? '');
}
