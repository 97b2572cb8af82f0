import type {
  CollectorStatus,
  Cost,
  CostPart,
  DeviceCost,
  Probe,
  Report,
  ReportFinding,
  SelfCost,
  Tap,
} from '../generated/report.ts';
import { fired } from './verdict.ts';
import { formats, significant } from './words.ts';

export const outcomeWords = {
  critical: 'Critical',
  warning: 'Warning',
  info: 'Info',
  ok: 'OK',
  'not-measured': 'Not measured',
  'not-applicable': 'Not applicable',
} as const satisfies Record<ReportFinding['outcome'], string>;

/** What the verdict is called: a host that could not be judged everywhere was still judged in part. */
export function verdictWord({ verdict }: Report): string {
  return verdict.outcome === 'not-measured' ? 'Not fully measured' : outcomeWords[verdict.outcome];
}

/** What a packet's cost is made of: its name, and what is in it. */
export const partWords = {
  'driver-gro': { name: 'driver and GRO', contains: 'NET_RX outside of the stack: driver, GRO, backlog, softirq loop' },
  taps: { name: 'taps', contains: 'ETH_P_ALL hooks, above the measured floor' },
  'net-rx-rest': {
    name: 'rest of NET_RX',
    contains: 'protocols and sockets; the driver where it is not a part of its own',
  },
  unexplained: { name: 'unexplained', contains: 'softirq and NAPI time outside NET_RX' },
} as const satisfies Record<CostPart['part'], { name: string; contains: string }>;

export const spanWords = {
  taps: 'netif_receive_skb to TC ingress: the taps',
  stack: 'XDP to TC: skb, GRO hold, RPS, taps',
  forward: 'reception to TC egress of another device',
} as const;

export function placed(name: string, netns: string): string {
  return netns === '' ? name : `${name} in ${netns}`;
}

export function hostFactsOf({ host }: Report): string[] {
  const counted = (count: number | null, word: string): string[] =>
    count === null ? [] : [`${count} ${word}${count === 1 ? '' : 's'}`];
  return [
    host.hostname ?? 'unknown host',
    host.kernel === null ? 'unknown kernel' : `Linux ${host.kernel}`,
    ...(host.machine === null ? [] : [host.machine]),
    ...counted(host.cpus, 'CPU'),
    ...counted(host.numaNodes, 'NUMA node'),
  ];
}

export function windowWords({ window }: Report): string {
  if (window.samples === 1) return 'one sample only: no rates';
  const asked = window.cutShort ? `, cut short: ${formats.seconds(window.requestedSeconds)} were asked for` : '';
  return `${formats.seconds(window.seconds)} window${asked}`;
}

export function impactWords({ impact }: ReportFinding): string[] {
  const { cpuShare, lostPerSecond } = impact;
  return [
    ...(cpuShare === null || cpuShare === 0 ? [] : [`${formats.percent(cpuShare)} of all CPU time`]),
    ...(lostPerSecond === null || lostPerSecond === 0 ? [] : [`${formats.rate(lostPerSecond)} lost`]),
  ];
}

/** The figures of the host: what is counted, and how much. */
export function hostFigures({ host }: Cost): { label: string; value: string; note: string }[] {
  const figure = (label: string, value: number | null, format: (value: number) => string, note: string) =>
    value === null ? [] : [{ label, value: format(value), note }];
  return [
    ...figure('per packet', host.nsPerPacket, formats.ns, 'softirq and NAPI time per pass into the stack'),
    ...figure('per packet in NET_RX', host.netRxNsPerPacket, formats.ns, 'measured by the probe'),
    ...figure('per frame received', host.nsPerWirePacket, formats.ns, 'before GRO'),
    ...figure('packets', host.packetsPerSecond, formats.rate, 'passes into the stack'),
    ...figure('frames to a packet', host.groRatio, significant, 'put together by GRO'),
    ...figure('of all CPU time', host.softirqShare, formats.percent, 'softirq and NAPI threads'),
  ];
}

/** Whether any packet of a device was timed. */
export function timed({ spans }: DeviceCost): boolean {
  return [spans?.taps, spans?.stack, spans?.forward].some((span) => (span?.count ?? 0) > 0);
}

/** Why a tap is on the path of every packet, or why not. */
export function pathWords({ onHotPath, protocol }: Tap): string {
  if (onHotPath) return 'every packet';
  return protocol === '0000' ? 'sends only' : `only ${protocol}`;
}

export function ownerWords({ owners }: Tap): string {
  return owners.length === 0 ? 'unknown' : owners.map(({ pid, comm }) => `${comm} (${pid})`).join(', ');
}

export function ringWords({ ring, fanout }: Tap): string {
  return [ring ?? 'not known', ...(fanout === null || fanout === 'none' ? [] : [`fanout ${fanout}`])].join(', ');
}

const probeWords = { 'detached-early': 'detached early', off: 'off', 'not-measured': 'not attached' } as const;

export function probeState({ status, tier, reason }: Probe): string {
  if (status === 'attached') return `attached (${tier})`;
  return reason === null ? probeWords[status] : `${probeWords[status]}: ${reason}`;
}

export function ownCost(self: SelfCost): string[] {
  return [
    ...(self.cpuSeconds === null ? [] : [`${formats.seconds(self.cpuSeconds)} of CPU`]),
    ...(self.peakMemoryBytes === null ? [] : [`${formats.bytes(self.peakMemoryBytes)} of memory`]),
    ...(self.nsPerPacket === null ? [] : [`probe ${formats.ns(self.nsPerPacket)} per packet`]),
    ...(self.cpuShare === null ? [] : [`probe ${formats.percent(self.cpuShare)} of all CPU time`]),
  ];
}

/** Outcomes with the number of rules that came to them, worst first. */
export function tally({ findings }: Report): { outcome: ReportFinding['outcome']; rules: number }[] {
  const order = ['critical', 'warning', 'info', 'ok', 'not-measured', 'not-applicable'] as const;
  return order.map((outcome) => ({
    outcome,
    rules: new Set(findings.filter((finding) => finding.outcome === outcome).map(({ code }) => code)).size,
  }));
}

export interface Loss {
  readonly where: string;
  readonly counts: string;
  readonly packets: number | null;
  readonly perSecond: number | null;
}

export interface Losses {
  readonly rows: readonly Loss[];
  /** Kinds of loss of which nothing was counted, and kinds that could not be read. */
  readonly none: readonly string[];
  readonly unknown: readonly string[];
}

/** Every loss the report knows a count of. Device and backlog drops are one stage each; nothing here is a sum. */
export function lossesOf({ cost, taps, findings, window }: Report): Losses {
  const rate = (count: number): number | null => (window.seconds > 0 ? count / window.seconds : null);
  const kinds: { kind: string; found: { where: string; count: number | null }[] }[] = [
    {
      kind: 'no room in the NIC (rx_missed_errors)',
      found: cost.devices.map(({ device, netns, missed }) => ({ where: placed(device, netns), count: missed })),
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
        .map((tap) => ({ where: `${ownerWords(tap)} on ${placed(tap.device, tap.netns)}`, count: tap.drops })),
    },
  ];
  const rows = kinds.flatMap(({ kind, found }) =>
    found.flatMap(({ where, count }) =>
      count === null || count === 0 ? [] : [{ where, counts: kind, packets: count, perSecond: rate(count) }],
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

export interface CollectorGroup {
  readonly row: CollectorStatus;
  readonly why: string;
  readonly netns: readonly string[];
}

/** Collectors that fared the same in several namespaces, as one. */
export function collectorGroups(collectors: readonly CollectorStatus[]): CollectorGroup[] {
  const groups = new Map<string, { row: CollectorStatus; netns: string[]; milliseconds: number }>();
  for (const row of collectors) {
    const key = JSON.stringify([row.id, row.status, row.path, row.reason]);
    const group = groups.get(key) ?? { row, netns: [], milliseconds: 0 };
    groups.set(key, group);
    if (row.netns !== '') group.netns.push(row.netns);
    group.milliseconds += row.milliseconds;
  }
  return [...groups.values()].map(({ row, netns, milliseconds }) => ({
    row: { ...row, milliseconds },
    why:
      [row.path, row.reason].filter((each) => each !== null).join(': ') +
      (row.gaps > 1 ? ` (and ${row.gaps - 1} more)` : ''),
    netns,
  }));
}

export function few(names: readonly string[], most = 3): string {
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}
