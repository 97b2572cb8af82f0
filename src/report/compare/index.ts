import type { CostPart, CpuCost, DeviceCost, Report, Span } from '../../generated/report.ts';
import type { Comparison, Named, PartChange, PlaceChanges, Side, SpanChanges } from './comparison.ts';
import { headlineOf } from './headline.ts';
import { bothOf, findingChanges, tapChanges } from './sets.ts';
import { NOISE_METHOD, LEAST_SHIFT, change, counted, meanOf, ofCpuTime, quantileOf } from './noise.ts';
import { droppedAbove } from '../tables/device-losses.ts';
import { secondsByDevice, secondsOf } from '../tables/rates.ts';
import { placed, probeCaveat } from '../words/phrases.ts';
import { costChanges, figureChanges, tellInterrupts, type Figures } from './cost.ts';
import { profileChanges } from './profile.ts';
import { shiftOf } from './shift.ts';

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
    profile: profileChanges(from, to),
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
  const probes = [before.probe, after.probe];
  for (const [name, { probe }] of Object.entries({ before, after })) {
    // Where no window had one, the figures are not known in either, and say so.
    if (probes.every(({ status }) => status === 'off' || status === 'not-measured')) break;
    const caveat = probeCaveat(probe);
    if (caveat !== undefined) caveats.push(`the probe in the window ${name}: ${caveat}`);
  }
  const [short, long] = [before.window.seconds, after.window.seconds].sort((a, b) => a - b) as [number, number];
  if (short > 0 && long > 3 * short) caveats.push('windows of very different length');
  if (Date.parse(after.window.startedAt) < Date.parse(before.window.endedAt)) {
    caveats.push('the second window does not follow the first');
  }
  return caveats;
}

/** Where one side did not tell the driver's part apart, it is in the rest of NET_RX on both. */
function timesOf(parts: readonly CostPart[], split: boolean): Map<CostPart['part'], number> {
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
  const traced = sides.every((parts) => parts.length > 0) && sides.flat().some(({ part }) => part === 'tracing');
  const [was, is] = sides.map((parts) => timesOf(parts, split));
  // It is a part only where there is some.
  for (const times of [was!, is!]) if (traced && !times.has('tracing')) times.set('tracing', 0);
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

function devicePlace({ device, netns }: { readonly device: string; readonly netns: string }): string {
  return placed(device, netns);
}

const deviceLines = [
  ['frames', 'frames received', 'rate'],
  ['dropped', 'dropped by the device or above it', 'rate'],
] as const;
/** Reports of earlier versions have no more than rx_missed_errors, which is held against no other counter. */
const cardLine = ['cardLost', 'lost by the NIC', 'rate'] as const;
const missedLine = ['missed', 'missed by the NIC', 'rate'] as const;

type DeviceFigures = Partial<Pick<DeviceCost, 'packets' | 'dropped' | 'missed' | 'cardLost'>>;
type PlacedFigures = DeviceFigures & Partial<Pick<DeviceCost, 'device' | 'netns'>>;

function deviceChanges(before: Report, after: Report): PlaceChanges[] {
  const known = [before, after].every(({ cost }) => cost.devices.every(({ cardLost }) => cardLost !== undefined));
  const lines = [...deviceLines, known ? cardLine : missedLine];
  const times = new Map([before, after].map((report) => [report, secondsByDevice(report)]));
  const figures = (device: PlacedFigures | undefined, report: Report): Figures<(typeof lines)[number][0]> => {
    const { device: name, netns } = device ?? {};
    // The sums of those that are not listed are of no one device.
    const seconds =
      name === undefined || netns === undefined
        ? secondsOf(report, 'devices')
        : times.get(report)!({ device: name, netns });
    return {
      frames: counted(device?.packets ?? null, seconds),
      dropped: counted(device?.dropped ?? null, seconds),
      missed: counted(device?.missed ?? null, seconds),
      cardLost: counted(device?.cardLost ?? null, seconds),
    };
  };
  const withoutLost = (device: DeviceCost | undefined): PlacedFigures | undefined =>
    device === undefined ? undefined : { ...device, dropped: droppedAbove(device) };
  const each = bothOf(before.cost.devices, after.cost.devices, devicePlace).map(([place, was, is]) => ({
    place,
    figures: figureChanges(lines, figures(withoutLost(was), before), figures(withoutLost(is), after)),
    reason: was === undefined ? whyUnlisted(before, 'before') : is === undefined ? whyUnlisted(after, 'after') : null,
  }));
  if (![before, after].some(({ cost }) => cost.devicesLeftOut !== undefined)) return each;
  // Each report lists devices of its own: only the sums of all are of the same things.
  const [was, is] = [before, after].map(({ cost }) => allDevices(cost));
  const all = {
    place: 'all devices',
    figures: figureChanges(lines, figures(was, before), figures(is, after)),
    reason: null,
  };
  return [all, ...each];
}

function whyUnlisted({ cost }: Report, when: string): string {
  return cost.devicesLeftOut === undefined ? `received nothing ${when}` : `not among the devices listed ${when}`;
}

/** What all devices lost, those that are not listed too; undefined where a report of an earlier version does not say it of them. */
function allDevices({ devices, devicesLeftOut, leftOutLost }: Report['cost']): DeviceFigures | undefined {
  if (devicesLeftOut !== undefined && leftOutLost === undefined) return undefined;
  return {
    dropped: devices.reduce((total, each) => total + (droppedAbove(each) ?? 0), leftOutLost?.dropped ?? 0),
    cardLost: devices.reduce((total, { cardLost }) => total + (cardLost ?? 0), leftOutLost?.cardLost ?? 0),
  };
}

const quantiles = [
  ['p50', 0.5, 'p50Ns'],
  ['p90', 0.9, 'p90Ns'],
  ['p99', 0.99, 'p99Ns'],
  ['p99.9', 0.999, 'p999Ns'],
] as const;

function spanChanges(before: Report, after: Report): SpanChanges[] {
  return bothOf(before.cost.devices, after.cost.devices, devicePlace).flatMap(([place, was, is]) =>
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
      change('mean', 'mean', 'ns', meanOf(before), meanOf(after)),
      ...quantiles.map(([figure, quantile, key]) =>
        change(
          figure,
          figure,
          'ns',
          quantileOf(before, quantile, before[key]),
          quantileOf(after, quantile, after[key]),
        ),
      ),
    ],
    reason: null,
    histogram: shiftOf(before, after),
  };
}

const cpuShareLine = ['interruptShare', 'in softirq, interrupts and NAPI threads', 'percent'] as const;
const cpuSoftirqLine = ['softirqShare', 'in softirq', 'percent'] as const;
const cpuCountLines = [
  ['packets', 'packets', 'rate'],
  ['dropped', 'dropped by a full backlog', 'rate'],
  ['squeezed', 'ended with work left', 'rate'],
] as const;

function cpuChanges(before: Report, after: Report): PlaceChanges[] {
  const lines = [tellInterrupts([before, after]) ? cpuShareLine : cpuSoftirqLine, ...cpuCountLines];
  const figures = (cpu: CpuCost | undefined, report: Report): Figures<(typeof lines)[number][0]> => {
    const exact = report.host.features['irq_time_accounting'] === true;
    const seconds = secondsOf(report, 'cpus');
    const interrupts = cpu?.interruptShare ?? null;
    return {
      interruptShare: ofCpuTime(interrupts, interrupts === null ? null : interrupts * report.window.seconds, exact),
      softirqShare: ofCpuTime(cpu?.softirqShare ?? null, cpu?.softirqSeconds ?? null, exact),
      packets: counted(cpu?.packets ?? null, seconds),
      dropped: counted(cpu?.dropped ?? null, seconds),
      squeezed: counted(cpu?.squeezed ?? null, seconds),
    };
  };
  return bothOf(before.cost.cpus, after.cost.cpus, ({ cpu }) => `CPU ${cpu}`).map(([place, was, is]) => ({
    place,
    figures: figureChanges(lines, figures(was, before), figures(is, after)),
    reason: was === undefined ? 'offline before' : is === undefined ? 'offline after' : null,
  }));
}
