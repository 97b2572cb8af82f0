import { processText } from '../../base/process-text.ts';
import type {
  CollectorStatus,
  Cost,
  CostPart,
  DeviceCost,
  Owner,
  Probe,
  Report,
  ReportFinding,
  SelfCost,
  Tap,
} from '../../generated/report.ts';
import { lostRate } from './findings.ts';
import { formats, significant } from './formats.ts';

export const outcomeWords = {
  critical: 'Critical',
  warning: 'Warning',
  info: 'Info',
  ok: 'OK',
  'not-measured': 'Not measured',
  'not-applicable': 'Not applicable',
} as const satisfies Record<ReportFinding['outcome'], string>;

/** What a verdict is called: a host that could not be judged everywhere was still judged in part. */
export function verdictWord({ outcome }: Pick<ReportFinding, 'outcome'>): string {
  return outcome === 'not-measured' ? 'Not fully measured' : outcomeWords[outcome];
}

/** What a packet's cost is made of: its name, and what is in it. */
export const partWords = {
  'driver-gro': { name: 'driver and GRO', contains: 'NET_RX outside of the stack: driver, GRO, backlog, softirq loop' },
  tracing: { name: 'tracing', contains: 'programs and probes of others on the way, by the profile' },
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
  const asked = window.cutShort ? ` (cut short, ${formats.seconds(window.requestedSeconds)} asked for)` : '';
  return `${formats.seconds(window.seconds)} window${asked}`;
}

export function impactWords(finding: ReportFinding): string[] {
  const { cpuShare } = finding.impact;
  const lost = lostRate(finding);
  return [
    ...(cpuShare === null || cpuShare === 0 ? [] : [`${formats.percent(cpuShare)} of all CPU time`]),
    ...(lost === undefined ? [] : [`${lost} lost`]),
  ];
}

/** What findings say of a CPU, or of all of them; a report of an earlier version has softirq alone. */
export function interruptTime({
  interruptShare,
  softirqShare,
}: Pick<Cost['host'], 'interruptShare' | 'softirqShare'>): number | null {
  return interruptShare === undefined ? softirqShare : interruptShare;
}

/** The figures of the host: what is counted, and how much. */
export function hostFigures({ host }: Cost): { label: string; value: string; note: string }[] {
  const figure = (label: string, value: number | null, format: (value: number) => string, note: string) =>
    value === null ? [] : [{ label, value: format(value), note }];
  return [
    ...figure('per packet', host.nsPerPacket, formats.ns, 'softirq and NAPI time per pass into the stack'),
    ...figure('per packet in NET_RX', host.netRxNsPerPacket, formats.ns, 'measured by the probe'),
    ...figure('per frame received', host.nsPerWirePacket, formats.ns, 'before GRO'),
    ...figure('packets/s', host.packetsPerSecond, significant, 'passes into the stack'),
    ...figure('frames to a packet', host.groRatio, significant, 'put together by GRO'),
    ...figure(
      'of all CPU time',
      interruptTime(host),
      formats.percent,
      `softirq${host.interruptShare === undefined ? '' : ', interrupts'} and NAPI threads`,
    ),
  ];
}

/** Which price is lacking, where another is known beside it. */
export function unpricedWords({ netRxNsPerPacket, reason }: Cost['host']): string | undefined {
  if (reason === null) return undefined;
  return `${netRxNsPerPacket === null ? 'Not priced' : 'No price by softirq time'}: ${reason}.`;
}

/** The parts that there is anything of. */
export function partsOf(breakdown: readonly CostPart[]): readonly CostPart[] {
  return breakdown.filter(({ ns }) => ns > 0);
}

/** Why the prices of a packet differ, where there is more than one; undefined where there is not. */
export function rulerWords({ cost: { host }, profile }: Pick<Report, 'cost' | 'profile'>): string | undefined {
  const sampled = profile?.directions.some(
    ({ direction, nsPerPacket }) => direction === 'receive' && nsPerPacket !== null,
  );
  const rulers = [host.nsPerPacket !== null, host.netRxNsPerPacket !== null, sampled === true].filter(Boolean);
  if (rulers.length < 2) return undefined;
  return (
    'The prices differ by what is in them: softirq and NAPI time has all softirq work in it, NET_RX only receiving, and the ' +
    'profile what its samples met.'
  );
}

/** Whether any packet of a device was timed. */
export function timed({ spans }: DeviceCost): boolean {
  return [spans?.taps, spans?.stack, spans?.forward].some((span) => (span?.count ?? 0) > 0);
}

/** Why a tap is on the path of every packet, or why not. */
export function pathWords({ onHotPath, protocol, hook }: Tap): string {
  const known = protocols[protocol.toLowerCase()];
  if (onHotPath) {
    if (Number.parseInt(protocol, 16) === 3) return 'every packet';
    return known === undefined ? `every packet of protocol ${protocol}` : `every ${known} packet (${protocol})`;
  }
  if (protocol === '0000') return 'sends only';
  if (hook === 'none') return 'nothing, as it is not running';
  return known === undefined ? `only protocol ${protocol}` : `only ${known} (${protocol})`;
}

/** Ethertypes that packet sockets ask for, by include/uapi/linux/if_ether.h. */
const protocols: Readonly<Record<string, string>> = {
  '0800': 'IPv4',
  '0806': 'ARP',
  '8100': 'VLAN',
  '86dd': 'IPv6',
  '8863': 'PPPoE discovery',
  '8864': 'PPPoE',
  '888e': 'EAPOL',
  '88cc': 'LLDP',
};

/** Who holds a socket. */
export function ownerWords(owners: readonly Owner[]): string {
  return owners.length === 0 ? 'unknown owner' : owners.map(processText).join(', ');
}

/** How many are on the path of every packet. Those stand first: where all that are listed are, those left out may be as well. */
export function hotCount({ taps, tapsLeftOut = 0 }: Pick<Report, 'taps' | 'tapsLeftOut'>): string {
  const hot = taps.filter(({ onHotPath }) => onHotPath).length;
  return `${hot}${tapsLeftOut > 0 && hot === taps.length ? ' or more' : ''}`;
}

export function ringWords({ ring, fanout }: Tap): string {
  return [ring ?? 'not known', ...(fanout === null || fanout === 'none' ? [] : [`fanout ${fanout}`])].join(', ');
}

const probeWords = { 'detached-early': 'detached early', off: 'off', 'not-measured': 'not attached' } as const;

/** An attached probe has a reason too where its figures are to be taken with care. */
export function probeState({ status, tier, reason }: Probe): string {
  if (status === 'attached') return `attached (${tier})${reason === null ? '' : `; ${reason}`}`;
  return reason === null ? probeWords[status] : `${probeWords[status]}: ${reason}`;
}

/** What is to be known of the probe beside figures it gave: that they are not all of the window, or not of the host alone. */
export function probeCaveat(probe: Probe): string | undefined {
  if (probe.status === 'off' || (probe.status === 'attached' && probe.reason === null)) return undefined;
  return probeState(probe);
}

export function ownCost(self: SelfCost): string[] {
  const probed = probeCost(self);
  return [
    ...(self.cpuSeconds === null ? [] : [`${formats.seconds(self.cpuSeconds)} of CPU`]),
    ...(self.peakMemoryBytes === null ? [] : [`${formats.bytes(self.peakMemoryBytes)} of memory`]),
    ...(probed.length === 0 ? [] : [`probe ${probed.join(' and ')}`]),
    ...besideProbe(self),
  ];
}

/** What the probe's spans took. */
export function probeCost({ nsPerPacket, cpuShare }: SelfCost): string[] {
  return [
    // No packet was met.
    ...(nsPerPacket === null || nsPerPacket === 0 ? [] : [`${formats.ns(nsPerPacket)} per packet`]),
    ...(cpuShare === null || cpuShare === 0 ? [] : [`${formats.percent(cpuShare)} of all CPU time`]),
  ];
}

/** What measuring took beside the probe's spans, of all CPU time. */
export function besideProbe({ profileCpuShare = null, dropsCpuShare = null }: SelfCost): string[] {
  return [
    ...(profileCpuShare === null ? [] : [`profile ${formats.percent(profileCpuShare)}`]),
    ...(dropsCpuShare === null || dropsCpuShare === 0 ? [] : [`counting of drops ${formats.percent(dropsCpuShare)}`]),
  ];
}

export interface CollectorGroup {
  /** Of one of them, with the names of all. */
  readonly row: CollectorStatus;
  readonly why: string;
  readonly netns: readonly string[];
}

interface CollectorsAlike {
  readonly row: CollectorStatus;
  readonly ids: string[];
  readonly netns: string[];
  milliseconds: number;
  gaps: number;
}

/**
 * Collectors that fared the same in several namespaces or at several files, as one, and those that all lacked the same in the same
 * namespaces: each reason once, with a count.
 */
export function collectorGroups(collectors: readonly CollectorStatus[]): CollectorGroup[] {
  const each = gathered(collectors.map(alone), ({ row }) => [row.id, row.status, row.reason]);
  return gathered(each, ({ row, netns }) => [
    row.reason === null || netns.length === 0 ? row.id : netns,
    row.status,
    row.reason,
  ]).map(({ row, ids, netns, milliseconds, gaps }) => ({
    row: { ...row, id: few(ids), milliseconds },
    why:
      [row.path, row.reason].filter((said) => said !== null).join(': ') + (gaps > 1 ? ` (and ${gaps - 1} more)` : ''),
    netns,
  }));
}

function alone(row: CollectorStatus): CollectorsAlike {
  const { id, netns, milliseconds, gaps } = row;
  return { row, ids: [id], netns: netns === '' ? [] : [netns], milliseconds, gaps };
}

function gathered(all: readonly CollectorsAlike[], sameness: (one: CollectorsAlike) => unknown): CollectorsAlike[] {
  const groups = new Map<string, CollectorsAlike>();
  for (const one of all) {
    const key = JSON.stringify(sameness(one));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { ...one, ids: [...one.ids], netns: [...one.netns] });
    else {
      group.ids.push(...one.ids.filter((id) => !group.ids.includes(id)));
      group.netns.push(...one.netns.filter((netns) => !group.netns.includes(netns)));
      group.milliseconds += one.milliseconds;
      group.gaps += one.gaps;
    }
  }
  return [...groups.values()];
}

export function few(names: readonly string[], most = 3): string {
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** `takes 1.2% of a CPU on received packets and 0.8% on sent ones; its process 0.5% in user space; ring 2 MiB`; empty if unknown. */
export function billWords(bill: NonNullable<Tap['bill']>): string {
  const { receiveCpu, transmitCpu, readerUserCpu, readerSystemCpu, ringBytes, payers } = bill;
  const paid = payers.slice(0, 2).map((payer) => `${processText(payer)} ${formats.percent(payer.share)}`);
  const path = [
    ...(receiveCpu === null ? [] : [`${formats.percent(receiveCpu)} of a CPU on received packets`]),
    ...(transmitCpu === null
      ? []
      : [
          `${formats.percent(transmitCpu)} of a CPU on sent ones${paid.length === 0 ? '' : ` (paid by ${paid.join(', ')})`}`,
        ]),
  ];
  if (path.length === 0) return '';
  const kernel = readerSystemCpu === null ? '' : ` and ${formats.percent(readerSystemCpu)} in the kernel`;
  return [
    `takes ${path.join(' and ')}`,
    ...(readerUserCpu === null ? [] : [`its process ${formats.percent(readerUserCpu)} in user space${kernel}`]),
    ...(ringBytes === null ? [] : [`ring ${formats.bytes(ringBytes)}`]),
  ].join('; ');
}
