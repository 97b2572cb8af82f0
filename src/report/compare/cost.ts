import type { Report } from '../../generated/report.ts';
import { secondsOf } from '../tables/rates.ts';
import {
  change,
  counted,
  ofCpuTime,
  ofSamples,
  type Change,
  type ChangeUnit,
  type Estimate,
  type Quantity,
} from './noise.ts';

/** A figure that is not there in one of the windows is null. */
export type Figures<K extends Quantity> = Readonly<Record<K, Estimate | null>>;

/** One change for each line: a figure's quantity, its name, its unit. */
export function figureChanges<K extends Quantity>(
  lines: readonly (readonly [quantity: K, figure: string, unit: ChangeUnit])[],
  before: Figures<K>,
  after: Figures<K>,
): Change[] {
  return lines.map(([quantity, figure, unit]) => change(quantity, figure, unit, before[quantity], after[quantity]));
}

const priceLines = [
  ['softirqNsPerPacket', 'softirq time per packet', 'ns'],
  ['softirqNsPerFrame', 'softirq time per frame received', 'ns'],
  ['netRxNsPerPacket', 'NET_RX time per packet (probe)', 'ns'],
] as const;
const trafficLines = [
  ['packets', 'packets into the stack', 'rate'],
  ['frames', 'frames received', 'rate'],
] as const;
/** What findings say of a CPU, or of all of them. */
const shareLine = ['interruptShare', 'softirq, interrupts and NAPI threads, of all CPU time', 'percent'] as const;
/** Reports of earlier versions have no more than softirq, which is held against nothing that has interrupts in it. */
const softirqLine = ['softirqShare', 'softirq share of all CPU time', 'percent'] as const;
const costLines = [...priceLines, shareLine, softirqLine, ...trafficLines] as const;

export function tellInterrupts(reports: readonly Report[]): boolean {
  return reports.every(({ cost }) =>
    [cost.host, ...cost.cpus].every(({ interruptShare }) => interruptShare !== undefined),
  );
}

export function costChanges(before: Report, after: Report): Change[] {
  const share = tellInterrupts([before, after]) ? shareLine : softirqLine;
  return figureChanges([...priceLines, share, ...trafficLines], costFigures(before), costFigures(after));
}

function costFigures(report: Report): Figures<(typeof costLines)[number][0]> {
  const { cost, window, host: facts } = report;
  const { host } = cost;
  const interrupts = host.interruptShare ?? null;
  const exact = facts.features['irq_time_accounting'] === true;
  const spent = host.softirqSeconds === null ? null : host.softirqSeconds + (host.napiSeconds ?? 0);
  return {
    softirqNsPerPacket: ofCpuTime(host.nsPerPacket, spent, exact),
    softirqNsPerFrame: ofCpuTime(host.nsPerWirePacket, spent, exact),
    netRxNsPerPacket: ofSamples(host.netRxNsPerPacket, timedRuns(cost)),
    interruptShare: ofCpuTime(
      interrupts,
      interrupts === null || facts.cpus === null ? spent : interrupts * facts.cpus * window.seconds,
      exact,
    ),
    softirqShare: ofCpuTime(host.softirqShare, spent, exact),
    packets: counted(host.packets, secondsOf(report, 'host')),
    frames: counted(host.wirePackets, secondsOf(report, 'devices')),
  };
}

/** Of a report of an earlier version, which does not say how many runs were timed: one in eight was, unless that cost too much. */
const RUNS_TO_A_TIMED_ONE = 8;

/** Runs of NET_RX that were timed. */
function timedRuns({ cpus }: Report['cost']): number {
  return cpus.reduce(
    (sum, { netRxRuns, netRxTimedRuns }) => sum + (netRxTimedRuns ?? (netRxRuns ?? 0) / RUNS_TO_A_TIMED_ONE),
    0,
  );
}
