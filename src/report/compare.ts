import type { CostPart, CpuCost, DeviceCost, Report, Span, Verdict } from '../generated/report.ts';
import { headlineOf } from './compare-headline.ts';
import { bothOf, findingChanges, tapChanges, type FindingChanges, type TapChanges } from './compare-sets.ts';
import {
  NOISE_METHOD,
  LEAST_SHIFT,
  change,
  counted,
  meanOf,
  ofCpuTime,
  ofSamples,
  quantileOf,
  type Change,
} from './noise.ts';
import { shiftOf, type Shift } from './shift.ts';

/** One of the two reports. */
export interface Side {
  readonly source: string;
  readonly hostname: string | null;
  readonly kernel: string | null;
  readonly version: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly outcome: Verdict['outcome'];
  readonly headline: string;
}

/** A part of the cost of a packet, and how much of the whole difference it makes. */
export interface PartChange {
  readonly part: CostPart['part'];
  readonly beforeNs: number;
  readonly afterNs: number;
  readonly shareOfDifference: number | null;
}

export interface PlaceChanges {
  /** `eth0`, `eth0 in NAMESPACE`, `CPU 3`, or a span of a device. */
  readonly place: string;
  readonly figures: readonly Change[];
  /** Why nothing can be compared, or null. */
  readonly reason: string | null;
}

export interface SpanChanges extends PlaceChanges {
  /** How the whole distribution moved; null where one of the two has none. */
  readonly histogram: Shift | null;
}

/** What two windows differ in. */
export interface Comparison {
  readonly comparisonVersion: '1.0';
  readonly tool: Report['tool'];
  readonly headline: string;
  readonly before: Side;
  readonly after: Side;
  /** What makes the two hard to compare. */
  readonly caveats: readonly string[];
  readonly noise: { readonly confidence: 0.95; readonly leastShift: number; readonly method: string };
  readonly cost: readonly Change[];
  readonly parts: readonly PartChange[];
  readonly devices: readonly PlaceChanges[];
  readonly spans: readonly SpanChanges[];
  readonly cpus: readonly PlaceChanges[];
  readonly taps: TapChanges;
  readonly findings: FindingChanges;
}

export interface Named {
  readonly source: string;
  readonly report: Report;
}

/** Compares two reports figure by figure, and tells differences from noise. */
export function compareReports(before: Named, after: Named, version: string): Comparison {
  const [from, to] = [before.report, after.report];
  const compared = {
    comparisonVersion: '1.0' as const,
    tool: { name: 'pktcost' as const, version },
    before: sideOf(before),
    after: sideOf(after),
    caveats: caveatsOf(from, to),
    noise: { confidence: 0.95 as const, leastShift: LEAST_SHIFT, method: NOISE_METHOD },
    cost: costChanges(from, to),
    parts: partChanges(from, to),
    devices: deviceChanges(from, to),
    spans: spanChanges(from, to),
    cpus: cpuChanges(from, to),
    taps: tapChanges(from, to),
    findings: findingChanges(from.findings, to.findings),
  };
  const { comparisonVersion, tool, ...rest } = compared;
  return { comparisonVersion, tool, headline: headlineOf(compared), ...rest };
}

function sideOf({ source, report }: Named): Side {
  const { host, window, verdict, tool } = report;
  return {
    source,
    hostname: host.hostname,
    kernel: host.kernel,
    version: tool.version,
    startedAt: window.startedAt,
    seconds: window.seconds,
    outcome: verdict.outcome,
    headline: verdict.headline,
  };
}

function caveatsOf(before: Report, after: Report): string[] {
  const caveats: string[] = [];
  const differ = (what: string, a: string | number | null, b: string | number | null): void => {
    if (a !== b) caveats.push(`another ${what}: ${a ?? 'unknown'} and ${b ?? 'unknown'}`);
  };
  differ('host', before.host.hostname, after.host.hostname);
  differ('kernel', before.host.kernel, after.host.kernel);
  differ('number of CPUs', before.host.cpus, after.host.cpus);
  differ('version of pktcost', before.tool.version, after.tool.version);
  if (JSON.stringify(before.thresholds) !== JSON.stringify(after.thresholds)) caveats.push('judged with other limits');
  for (const [name, { window }] of Object.entries({ before, after })) {
    if (window.samples === 1) caveats.push(`the window ${name} is a single sample: it has no rates`);
    else if (window.cutShort) caveats.push(`the window ${name} was cut short`);
  }
  const [short, long] = [before.window.seconds, after.window.seconds].sort((a, b) => a - b) as [number, number];
  if (short > 0 && long > 3 * short) caveats.push('windows of very different length');
  if (Date.parse(after.window.startedAt) < Date.parse(before.window.endedAt)) {
    caveats.push('the second window does not follow the first');
  }
  return caveats;
}

function costChanges(before: Report, after: Report): Change[] {
  const of = ({ cost, window, host: facts }: Report): Record<string, ReturnType<typeof counted>> => {
    const { host } = cost;
    const exact = facts.features['irq_time_accounting'] === true;
    const spent = host.softirqSeconds === null ? null : host.softirqSeconds + (host.napiSeconds ?? 0);
    const runs = cost.cpus.reduce((sum, { netRxRuns }) => sum + (netRxRuns ?? 0), 0);
    return {
      perPacket: ofCpuTime(host.nsPerPacket, spent, exact),
      perWirePacket: ofCpuTime(host.nsPerWirePacket, spent, exact),
      // One run of the softirq in eight is timed (probe/session.ts).
      netRx: ofSamples(host.netRxNsPerPacket, runs / 8),
      share: ofCpuTime(host.softirqShare, spent, exact),
      packets: counted(host.packets, window.seconds),
      wirePackets: counted(host.wirePackets, window.seconds),
    };
  };
  const [a, b] = [of(before), of(after)];
  const each = (figure: string, unit: Change['unit'], key: string): Change =>
    change(figure, unit, a[key] ?? null, b[key] ?? null);
  return [
    each('softirq time per packet', 'ns', 'perPacket'),
    each('softirq time per frame received', 'ns', 'perWirePacket'),
    each('NET_RX time per packet (probe)', 'ns', 'netRx'),
    each('softirq share of all CPU time', 'percent', 'share'),
    each('packets into the stack', 'rate', 'packets'),
    each('frames received', 'rate', 'wirePackets'),
  ];
}

/** Where one side did not tell the driver's part apart, it is in the rest of NET_RX on both. */
function timesOf(parts: readonly CostPart[], split: boolean): ReadonlyMap<CostPart['part'], number> {
  const driver = split ? undefined : parts.find(({ part }) => part === 'driver-gro');
  const times = parts.flatMap(({ part, ns }) => {
    if (driver === undefined) return [[part, ns] as const];
    return part === 'driver-gro' ? [] : [[part, ns + (part === 'net-rx-rest' ? driver.ns : 0)] as const];
  });
  return new Map(times);
}

function partChanges(before: Report, after: Report): PartChange[] {
  const sides = [before, after].map(({ cost }) => cost.host.breakdown);
  const split = sides.every((parts) => parts.some(({ part }) => part === 'driver-gro'));
  const [was, is] = sides.map((parts) => timesOf(parts, split));
  const rows = [...is!].flatMap(([part, afterNs]) => {
    const beforeNs = was!.get(part);
    return beforeNs === undefined ? [] : [{ part, beforeNs, afterNs }];
  });
  const whole = rows.reduce((sum, { beforeNs, afterNs }) => sum + afterNs - beforeNs, 0);
  return rows.map((row) => ({
    ...row,
    shareOfDifference: whole === 0 ? null : (row.afterNs - row.beforeNs) / whole,
  }));
}

function placeOf({ device, netns }: { readonly device: string; readonly netns: string }): string {
  return netns === '' ? device : `${device} in ${netns}`;
}

function deviceChanges(before: Report, after: Report): PlaceChanges[] {
  const figures = (device: DeviceCost | undefined, seconds: number): Record<string, ReturnType<typeof counted>> => ({
    frames: counted(device?.packets ?? null, seconds),
    dropped: counted(device?.dropped ?? null, seconds),
    missed: counted(device?.missed ?? null, seconds),
  });
  return bothOf(before.cost.devices, after.cost.devices, placeOf).map(([place, was, is]) => {
    const [a, b] = [figures(was, before.window.seconds), figures(is, after.window.seconds)];
    const each = (figure: string, key: string): Change => change(figure, 'rate', a[key] ?? null, b[key] ?? null);
    return {
      place,
      figures: [each('frames received', 'frames'), each('dropped', 'dropped'), each('missed by the NIC', 'missed')],
      reason: was === undefined ? 'received nothing before' : is === undefined ? 'received nothing after' : null,
    };
  });
}

const quantiles = [
  ['p50', 0.5, 'p50Ns'],
  ['p90', 0.9, 'p90Ns'],
  ['p99', 0.99, 'p99Ns'],
  ['p99.9', 0.999, 'p999Ns'],
] as const;

function spanChanges(before: Report, after: Report): SpanChanges[] {
  return bothOf(before.cost.devices, after.cost.devices, placeOf).flatMap(([place, was, is]) =>
    (['taps', 'stack', 'forward'] as const).flatMap((name) => {
      const [a, b] = [was?.spans?.[name] ?? null, is?.spans?.[name] ?? null];
      if (a === null && b === null) return [];
      return [{ place: `${place}, ${name}`, ...spanFigures(a, b) }];
    }),
  );
}

function spanFigures(before: Span | null, after: Span | null): Omit<SpanChanges, 'place'> {
  if (before === null || after === null) {
    return { figures: [], reason: `not timed ${before === null ? 'before' : 'after'}`, histogram: null };
  }
  // Native and generic XDP spans contain different work.
  if (before.mode !== after.mode)
    return { figures: [], reason: `timed in other ways: ${before.mode} and ${after.mode}`, histogram: null };
  return {
    figures: [
      change('mean', 'ns', meanOf(before), meanOf(after)),
      ...quantiles.map(([figure, quantile, key]) =>
        change(figure, 'ns', quantileOf(before, quantile, before[key]), quantileOf(after, quantile, after[key])),
      ),
    ],
    reason: null,
    histogram: shiftOf(before, after),
  };
}

function cpuChanges(before: Report, after: Report): PlaceChanges[] {
  const of = (cpu: CpuCost | undefined, { window, host }: Report): Record<string, ReturnType<typeof counted>> => {
    const exact = host.features['irq_time_accounting'] === true;
    return {
      share: ofCpuTime(cpu?.softirqShare ?? null, cpu?.softirqSeconds ?? null, exact),
      packets: counted(cpu?.packets ?? null, window.seconds),
      dropped: counted(cpu?.dropped ?? null, window.seconds),
      squeezed: counted(cpu?.squeezed ?? null, window.seconds),
    };
  };
  return bothOf(before.cost.cpus, after.cost.cpus, ({ cpu }) => `CPU ${cpu}`).map(([place, was, is]) => {
    const [a, b] = [of(was, before), of(is, after)];
    return {
      place,
      figures: [
        change('in softirq', 'percent', a['share'] ?? null, b['share'] ?? null),
        change('packets', 'rate', a['packets'] ?? null, b['packets'] ?? null),
        change('dropped by a full backlog', 'rate', a['dropped'] ?? null, b['dropped'] ?? null),
        change('ended with work left', 'rate', a['squeezed'] ?? null, b['squeezed'] ?? null),
      ],
      reason: was === undefined ? 'offline before' : is === undefined ? 'offline after' : null,
    };
  });
}
