import { cpusOf, type Topology } from './cpus.ts';
import type { Signal } from './signal.ts';

/** How a NIC's receive work is spread over the NUMA nodes. */
export interface ReceiveWork {
  /** Share of the work done on CPUs of another node than the NIC's. */
  readonly remoteShare: number;
  /** CPUs of other nodes that did some of it, the busiest first. */
  readonly remoteCpus: readonly string[];
}

interface Interrupts {
  /** Rise of the NIC's interrupts by CPU. */
  readonly raised: readonly Signal[];
  /** Rise of the interrupts of all NICs by CPU. */
  readonly raisedByCpu: readonly Signal[];
  /** Rise of softnet's processed by CPU. */
  readonly passed: readonly Signal[];
  /** Packets that the NIC received in the window. */
  readonly received: number;
}

/**
 * The work behind a NIC's interrupts. Interrupts alone mislead: a CPU that polls under load takes few of them
 * (net/core/dev.c:napi_complete_done re-enables them only when a poll found too little). So each CPU counts with the
 * packets that entered the stack on it, in the proportion of this NIC's interrupts there. Where the CPUs passed more
 * packets than the NIC received, veth, loopback or other traffic is mixed in and cannot be told apart: the smaller of
 * the two shares is taken then. Undefined when none of the interrupts rose.
 */
export function workOfInterrupts(
  { raised, raisedByCpu, passed, received }: Interrupts,
  home: string,
  topology: Topology,
): ReceiveWork | undefined {
  const interrupts = new Map<string, number>();
  for (const { labels, value } of raised) {
    const cpu = labels['cpu'] ?? '';
    interrupts.set(cpu, (interrupts.get(cpu) ?? 0) + value);
  }
  const all = byCpu(raisedByCpu);
  const packets = byCpu(passed);
  const weighted = new Map<string, number>();
  for (const [cpu, count] of interrupts) {
    weighted.set(cpu, ((packets.get(cpu) ?? 0) * count) / Math.max(count, all.get(cpu) ?? 0, 1));
  }
  const plain = overNodes(interrupts, home, topology);
  const byPackets = overNodes(weighted, home, topology);
  if (plain === undefined) return undefined;
  if (byPackets === undefined) return plain.work;
  if (byPackets.total > 1.1 * received && plain.work.remoteShare < byPackets.work.remoteShare) return plain.work;
  return byPackets.work;
}

/** The work of NAPI threads: their CPU time, on the CPU each was last seen on. Undefined when they did nothing. */
export function workOfThreads(
  seconds: readonly Signal[],
  lastCpus: readonly Signal[],
  home: string,
  topology: Topology,
): ReceiveWork | undefined {
  const cpuOf = new Map(lastCpus.map(({ labels, value }) => [labels['pid'], `${value}`]));
  const work = new Map<string, number>();
  for (const { labels, value } of seconds) {
    const cpu = cpuOf.get(labels['pid']);
    if (cpu !== undefined) work.set(cpu, (work.get(cpu) ?? 0) + value);
  }
  return overNodes(work, home, topology)?.work;
}

/** RPS spreads packets evenly over the CPUs of its list by their hash (net/core/dev.c:get_rps_cpu). */
export function workOfRps(queues: readonly Signal[], home: string, topology: Topology): ReceiveWork | undefined {
  const work = new Map<string, number>();
  for (const { labels } of queues) {
    const cpus = cpusOf(labels['cpus']);
    for (const cpu of cpus) work.set(`${cpu}`, (work.get(`${cpu}`) ?? 0) + 1 / cpus.length);
  }
  return overNodes(work, home, topology)?.work;
}

/** What the CPUs of other nodes spend on a NIC's packets. */
export interface RemoteTime {
  /** CPU-seconds per second; undefined where softirq time was not counted. */
  readonly cpus: number | undefined;
  /** Those of them that spend most of their time in softirq. */
  readonly hot: readonly string[];
}

interface Spent {
  /** Softirq time by CPU, per second. */
  readonly softirq: readonly Signal[];
  /** Packets of all devices that entered the stack, and those that the NIC received, per second. */
  readonly passed: number;
  readonly received: number;
  /** Whether the softirq time of the window is more than a few ticks. */
  readonly enough: boolean;
}

/**
 * The softirq time of the remote CPUs bounds it. Where packets can be priced, it is the price times the packets of the NIC
 * that these CPUs took: they may receive for other devices as well.
 */
export function remoteTime(
  { remoteShare, remoteCpus }: ReceiveWork,
  { softirq, passed, received, enough }: Spent,
  hotFrom: number,
): RemoteTime {
  if (softirq.length === 0) return { cpus: undefined, hot: [] };
  const spent = byCpu(softirq);
  const bound = remoteCpus.reduce((sum, cpu) => sum + (spent.get(cpu) ?? 0), 0);
  // They did the work, and no tick met it: that is no price.
  if (bound === 0) return { cpus: undefined, hot: [] };
  const all = [...spent.values()].reduce((sum, each) => sum + each, 0);
  const priced = enough && passed > 0 ? (all / passed) * received * remoteShare : bound;
  return {
    cpus: Math.min(bound, priced),
    hot: remoteCpus.filter((cpu) => (spent.get(cpu) ?? 0) >= hotFrom),
  };
}

function overNodes(
  work: ReadonlyMap<string, number>,
  home: string,
  topology: Topology,
): { readonly work: ReceiveWork; readonly total: number } | undefined {
  let total = 0;
  let remote = 0;
  const remoteCpus: [string, number][] = [];
  for (const [cpu, amount] of work) {
    const node = topology.nodeOf(cpu);
    if (node === undefined || amount <= 0) continue;
    total += amount;
    if (node === home) continue;
    remote += amount;
    remoteCpus.push([cpu, amount]);
  }
  if (total === 0) return undefined;
  remoteCpus.sort(([, a], [, b]) => b - a);
  return { work: { remoteShare: remote / total, remoteCpus: remoteCpus.map(([cpu]) => cpu) }, total };
}

function byCpu(points: readonly Signal[]): ReadonlyMap<string, number> {
  return new Map(points.map(({ labels, value }) => [labels['cpu'] ?? '', value]));
}
