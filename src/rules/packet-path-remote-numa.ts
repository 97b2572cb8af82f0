import {
  cpuDedicated,
  cpuNode,
  deviceInterrupts,
  deviceNumaNode,
  deviceRps,
  deviceThreaded,
  numaLocal,
  numaOther,
  processCpu,
  processLastCpu,
  receivePackets,
  softnetProcessed,
} from '../metrics/catalogue/index.ts';
import { increase, rate, sumBy, value, withLabels } from '../metrics/expression.ts';
import { formatCpuList, topologyOf, type Topology } from './facts/cpus.ts';
import { workOfInterrupts, workOfRps, workOfThreads, type ReceiveWork } from './facts/receive-work.ts';
import { moveIrqs, moveRps, moveThreads } from './remedies/numa.ts';
import {
  defineRule,
  list,
  notApplicable,
  notMeasured,
  ok,
  optional,
  optionalList,
  warning,
  type Signal,
} from './rule.ts';
import { thresholds } from './thresholds.ts';

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
  seed: '§5.8, Example B',
  scope: ['device'],
  none: 'no network device of this host has interrupts of its own',
  signals: {
    // Absent where the bus of the device knows no nodes; the devices are those that have interrupts.
    node: optional(value(deviceNumaNode)),
    packets: optional(rate(receivePackets, { netns: '' })),
    cpuNodes: list(value(cpuNode)),
    dedicated: optionalList(value(cpuDedicated)),
    raised: list(raised),
    raisedByCpu: optionalList(sumBy(['cpu'], raised)),
    raisedByNode: optionalList(sumBy(['device', 'node'], withLabels(raised, ['cpu'], cpuNode, ['node']))),
    passed: optionalList(increase(softnetProcessed)),
    rps: optionalList(value(deviceRps)),
    threaded: optional(value(deviceThreaded)),
    threads: optionalList(increase(processCpu, napi)),
    lastCpus: optionalList(value(processLastCpu, napi)),
    otherNode: optionalList(increase(numaOther)),
    localNode: optionalList(increase(numaLocal)),
  },
  thresholds: thresholds.PKT0301,
  messages: {
    interrupts:
      '{share:percent} of the receive work of {device} ({packets:rate} packets) is done on CPUs {cpus}, which are not of its NUMA ' +
      'node {node}: each packet crosses the interconnect. The share is measured; what it costs is not, 10 to 30 % is usual.',
    threads:
      '{share:percent} of the time of the NAPI threads of {device} ({packets:rate} packets) was spent by threads last seen on CPUs ' +
      '{cpus}, which are not of its NUMA node {node}.',
    rps:
      'RPS moves {share:percent} of the packets of {device} ({packets:rate} packets) to CPUs {cpus}, which are not of its NUMA node ' +
      '{node}; its interrupts are at home.',
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
    const said = (remote: ReceiveWork): Pick<Shown, 'args' | 'place'> => ({
      args: { device, node, packets, share: remote.remoteShare, cpus: formatCpuList(remote.remoteCpus.map(Number)) },
      place: { device, cpus: remote.remoteCpus },
    });
    const evidence = { node: null, packets: ['>=', limits.packets], raisedByNode: null } as const;
    const pages = { otherNode: null, localNode: null } as const;
    const move = { device, cpus: home, node };
    if (work.remoteShare >= limits.remoteShare) {
      if (work === byThreads) {
        return warning({
          ...said(work),
          certainty: 'correlated',
          message: 'threads',
          evidence: { ...evidence, threads: null, lastCpus: null, ...pages },
          remedies: moveThreads(
            threads.map(({ labels: { pid = '' } }) => pid),
            home,
            `Let the NAPI threads of ${device} run on the CPUs of node ${node}.`,
          ),
        });
      }
      return warning({
        ...said(work),
        certainty: 'measured',
        message: 'interrupts',
        evidence: { ...evidence, passed: null, ...pages },
        remedies: moveIrqs({ ...move, irqs: irqsElsewhere(read.raised, node, topology) }),
      });
    }
    if (byRps !== undefined && byRps.remoteShare >= limits.remoteShare) {
      return warning({
        ...said(byRps),
        certainty: 'correlated',
        message: 'rps',
        evidence: { ...evidence, rps: null, ...pages },
        remedies: moveRps({ ...move, queues: read.rps.map(({ labels: { queue = '' } }) => queue) }),
      });
    }
    return ok();
  },
});

interface Shown {
  readonly args: Readonly<Record<string, string | number>>;
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
