import { interruptModes } from '../facts/interrupt-time.ts';
import { formatCpuList } from '../base/cpu-list.ts';
import { topologyOf, type Topology } from '../facts/cpus.ts';
import { enoughTicks } from '../facts/price.ts';
import {
  remoteTime,
  workOfInterrupts,
  workOfRps,
  workOfThreads,
  type ReceiveWork,
  type RemoteTime,
} from '../facts/receive-work.ts';
import type { Signal } from '../facts/signal.ts';
import {
  cpuDedicated,
  cpuNode,
  cpuSeconds,
  deviceInterrupts,
  deviceNumaNode,
  deviceRps,
  deviceThreaded,
  kernelFeature,
  numaLocal,
  numaOther,
  processCpu,
  processLastCpu,
  receivePackets,
  softnetProcessed,
} from '../metrics/catalogue/index.ts';
import { increase, rate, sumBy, value, withLabels } from '../metrics/expression.ts';
import { worded, listed, type Argument, type FindingCertainty } from './finding.ts';
import { crowded, moveIrqs, moveRps, moveThreads } from './remedies/numa.ts';
import {
  deciding,
  decidingList,
  defineRule,
  info,
  list,
  notApplicable,
  notMeasured,
  ok,
  optional,
  optionalList,
  warning,
} from './rule.ts';
import { shared } from './shared-limits.ts';

const raised = increase(deviceInterrupts);
const napi = { role: 'napi' } as const;

/**
 * Judges where the CPUs do a NIC's receive work. The page counters (numa_other and the like) are shown beside it only:
 * receive buffers are recycled, so the packet path hardly allocates pages (net/core/page_pool.c).
 */
export const packetPathRemoteNuma = defineRule({
  code: 'PKT0301',
  id: 'packet-path-remote-numa',
  role: 'cause',
  title: 'Packets of a NIC are handled by CPUs of another NUMA node',
  scope: ['device'],
  none: 'no network device of this host has interrupts of its own',
  watched: { from: { packetsPerSecond: 5000 } },
  signals: {
    // Absent where the bus of the device knows no nodes; the devices are those that have interrupts.
    node: optional(value(deviceNumaNode)),
    packets: optional(rate(receivePackets, { netns: '' })),
    cpuNodes: list(value(cpuNode)),
    dedicated: optionalList(value(cpuDedicated)),
    raised: list(raised),
    raisedByCpu: optionalList(sumBy(['cpu'], raised)),
    raisedByNode: optionalList(sumBy(['device', 'node'], withLabels(raised, ['cpu'], cpuNode, ['node']))),
    passed: decidingList(increase(softnetProcessed)),
    rps: decidingList(value(deviceRps)),
    threaded: deciding(value(deviceThreaded)),
    threads: decidingList(increase(processCpu, napi)),
    lastCpus: decidingList(value(processLastCpu, napi)),
    softirq: optionalList(sumBy(['cpu'], rate(cpuSeconds, { mode: interruptModes }))),
    idle: optionalList(sumBy(['cpu'], rate(cpuSeconds, { mode: ['idle', 'iowait'] }))),
    accounting: optional(value(kernelFeature, { feature: 'irq_time_accounting' })),
    otherNode: optionalList(increase(numaOther)),
    localNode: optionalList(increase(numaLocal)),
  },
  thresholds: {
    remoteShare: {
      value: 0.25,
      unit: 'ratio',
      help: "Share of a NIC's receive work done on CPUs of another NUMA node.",
      source:
        'judgement: a remote node makes a packet dearer by 10 to 30 %, below a quarter of it the whole gains little',
    },
    packets: {
      value: 20000,
      unit: 'per second',
      help: 'Packets per second a NIC must receive before placement matters.',
      source: 'judgement: below it the receive work is a few percent of one core',
    },
    cost: {
      value: 0.05,
      unit: 'cpus',
      help: 'CPU time that the way across takes (a fifth of what the remote CPUs spend on these packets), in CPUs, from which it is a warning.',
      source: 'judgement: a twentieth of one CPU is what one can see; less is mentioned',
    },
    unpriced: {
      value: 100_000,
      unit: 'per second',
      help: 'Packets per second that cross from which it is a warning where what they cost cannot be told.',
      source: 'judgement: at half a microsecond for the way across they take a twentieth of a CPU',
    },
    hot: {
      value: shared.shortOfTime,
      unit: 'ratio',
      help: 'Softirq share of a remote CPU from which it is a warning whatever the way across takes.',
      source: 'the warning level of PKT0102',
    },
  },
  messages: {
    interrupts:
      '{share:percent} of the receive work of {device} ({packets:packets}) is done on CPUs {cpus}, which are not of its NUMA ' +
      'node {node}: each packet crosses the interconnect{cost}.',
    threads:
      '{share:percent} of the time of the NAPI threads of {device} ({packets:packets}) was spent by threads last seen on CPUs ' +
      '{cpus}, which are not of its NUMA node {node}{cost}.',
    rps:
      'RPS moves {share:percent} of the packets of {device} ({packets:packets}) to CPUs {cpus}, which are not of its NUMA node ' +
      '{node}; its interrupts are at home{cost}.',
  },
  alert: {
    none: 'which CPUs do the work of a device is worked out from its interrupts, the packets of each CPU, RPS and NAPI threads',
  },
  conclude(read, limits, at) {
    const device = at.labels['device'] ?? '';
    const topology = topologyOf(read.cpuNodes, read.dedicated);
    if (topology.nodes.length < 2) return notApplicable('fewer than two NUMA nodes of this host have CPUs');
    if (read.packets === undefined) return notMeasured(`the packets of ${device} were not counted at both ends`);
    const packets = read.packets.value;
    if (packets < limits.packets) return ok();
    if (read.node === undefined) return notMeasured(`which NUMA node ${device} is on is not known`);
    if (read.node.value < 0) {
      return notMeasured('the firmware did not say which NUMA node the device is on (-1, which does not mean node 0)');
    }
    const node = `${read.node.value}`;
    const home = topology.usableCpus(node);
    if (home.length === 0) return notApplicable(`node ${node} of the device has no CPUs: all its work is remote`);

    const threads = read.threads.filter(({ labels: { comm = '' } }) => isThreadOf(device, comm));
    const byThreads =
      (read.threaded?.value ?? 0) > 0 ? workOfThreads(threads, read.lastCpus, node, topology) : undefined;
    const byRps = workOfRps(read.rps, node, topology);
    const byInterrupts = workOfInterrupts(
      {
        raised: read.raised,
        raisedByCpu: read.raisedByCpu,
        // With RPS packets enter the stack elsewhere than where the interrupts are.
        passed: byRps === undefined ? read.passed : [],
        received: packets * at.seconds,
      },
      node,
      topology,
    );
    const work = byThreads ?? byInterrupts;
    if (work === undefined)
      return notMeasured(`no interrupt and no NAPI thread of ${device} did any work in the window`);
    const passed = read.passed.reduce((sum, each) => sum + each.value, 0) / at.seconds;
    const allSoftirq = read.softirq.reduce((sum, each) => sum + each.value, 0);
    const enough = enoughTicks(allSoftirq * at.seconds, read.accounting?.value);
    const spent = (remote: ReceiveWork): RemoteTime => {
      const time = remoteTime(remote, { softirq: read.softirq, passed, received: packets, enough }, limits.hot);
      if (remote !== byThreads) return time;
      const threadTime = threads.reduce((sum, each) => sum + each.value, 0) / at.seconds;
      return { ...time, cpus: remote.remoteShare * threadTime };
    };
    const unpriced = (remote: ReceiveWork): boolean => {
      const { cpus, hot } = spent(remote);
      return cpus === undefined && hot.length === 0;
    };
    const grade = (remote: ReceiveWork): typeof warning | typeof info => {
      const { cpus, hot } = spent(remote);
      if (unpriced(remote)) return packets * remote.remoteShare >= limits.unpriced ? warning : info;
      return hot.length > 0 || (cpus ?? 0) * WAY_ACROSS >= limits.cost ? warning : info;
    };
    // That so many cross is measured; that it matters is not, where nobody knows what they cost.
    const sureOf = <C extends FindingCertainty>(remote: ReceiveWork, certainty: C): C | 'possible' =>
      grade(remote) === warning && unpriced(remote) ? 'possible' : certainty;
    const said = (remote: ReceiveWork): Pick<Shares, 'args' | 'place'> => ({
      args: {
        cost: costText(spent(remote)),
        device,
        node,
        packets,
        share: remote.remoteShare,
        cpus: listed(remote.remoteCpus.map(Number), formatCpuList(remote.remoteCpus.map(Number))),
      },
      place: { device, cpus: remote.remoteCpus },
    });
    const evidence = { node: null, packets: ['>=', limits.packets], raisedByNode: null } as const;
    const pages = { otherNode: null, localNode: null } as const;
    const room = homeWithRoom(home, read.idle);
    const move = { device, cpus: room, node };
    const full = room.length === 0 ? crowded(device, home, node) : undefined;
    if (work.remoteShare >= limits.remoteShare) {
      if (work === byThreads) {
        return grade(work)({
          ...said(work),
          certainty: sureOf(work, 'correlated'),
          message: 'threads',
          evidence: { ...evidence, threads: null, lastCpus: null, ...pages },
          remedies:
            full ??
            moveThreads(
              threads.map(({ labels: { pid = '' } }) => pid),
              room,
              `Let the NAPI threads of ${device} run on the CPUs of node ${node} that have room.`,
            ),
        });
      }
      return grade(work)({
        ...said(work),
        certainty: sureOf(work, 'measured'),
        message: 'interrupts',
        evidence: { ...evidence, passed: null, softirq: null, ...pages },
        remedies: full ?? moveIrqs({ ...move, irqs: irqsElsewhere(read.raised, node, topology) }),
      });
    }
    if (byRps !== undefined && byRps.remoteShare >= limits.remoteShare) {
      return grade(byRps)({
        ...said(byRps),
        certainty: sureOf(byRps, 'correlated'),
        message: 'rps',
        evidence: { ...evidence, rps: null, ...pages },
        remedies: full ?? moveRps({ ...move, queues: read.rps.map(({ labels: { queue = '' } }) => queue) }),
      });
    }
    return ok();
  },
  stands(unread, { packets, threaded, cpuNodes }, limits) {
    if (topologyOf(cpuNodes).nodes.length < 2) return true;
    if (packets !== undefined && packets.value < limits.packets) return true;
    return (unread === 'threads' || unread === 'lastCpus') && (threaded?.value ?? 0) === 0;
  },
});

/** What a remote node adds to the time of a packet: 10 to 30 % is usual. */
const WAY_ACROSS = 0.2;
/** A CPU that is idle for less has no room for the work of another. */
const ROOM = 0.3;

function costText({ cpus, hot }: RemoteTime): Argument {
  const busy = hot.length === 0 ? '' : `; CPU ${hot.join(', ')} is short of time`;
  if (cpus === undefined) return worded({ cpus: null, hot }, `; what that costs is not known${busy}`);
  const extra = cpus * WAY_ACROSS;
  const words = extra < 0.001 ? 'less than 0.001' : `about ${Number(extra.toPrecision(2))}`;
  return worded({ cpus: extra, hot }, `; at the usual 10 to 30% a packet that takes ${words} CPUs, an estimate${busy}`);
}

/** The CPUs of the NIC's node that can take more; all of them where their time was not counted. */
function homeWithRoom(home: readonly number[], idle: readonly Signal[]): readonly number[] {
  if (idle.length === 0) return home;
  const left = new Map(idle.map(({ labels, value: share }) => [Number(labels['cpu']), share]));
  return home.filter((cpu) => (left.get(cpu) ?? 1) >= ROOM);
}

interface Shares {
  readonly args: Readonly<Record<string, Argument>>;
  readonly place: { readonly device: string; readonly cpus: readonly string[] };
}

/** `napi/<device>-<id>`; the name of a thread is cut at 15 characters by kernels before 5.17. */
function isThreadOf(device: string, comm: string): boolean {
  const front = `napi/${device}-`;
  return comm.startsWith(front) || (comm.length === 15 && front.startsWith(comm));
}

/** The interrupts that fired on CPUs of other nodes, busiest first. */
function irqsElsewhere(points: readonly Signal[], home: string, topology: Topology): string[] {
  const counts = new Map<string, number>();
  for (const { labels, value: count } of points) {
    const node = topology.nodeOf(labels['cpu'] ?? '');
    if (node === undefined || node === home || count <= 0) continue;
    const irq = labels['type'] ?? '';
    counts.set(irq, (counts.get(irq) ?? 0) + count);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([irq]) => irq);
}
