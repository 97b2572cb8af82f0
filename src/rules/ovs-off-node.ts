import { formatCpuList } from '../base/cpu-list.ts';
import { cpusOf, topologyOf, type Topology } from '../facts/cpus.ts';
import { takenByThreads } from '../facts/interrupt-time.ts';
import type { Signal } from '../facts/signal.ts';
import {
  cpuDedicated,
  cpuNode,
  deviceNumaNode,
  processAllowed,
  processCpu,
  processLastCpu,
  receivePackets,
  userspaceNic,
} from '../metrics/catalogue/index.ts';
import { above } from '../metrics/condition.ts';
import { rate, value } from '../metrics/expression.ts';
import { listed } from './finding.ts';
import { movePmd, moveThreads } from './remedies/numa.ts';
import { decidingList, defineRule, info, list, notApplicable, notMeasured, ok, optionalList, warning } from './rule.ts';

const switching = { role: ['ovs', 'vhost'] } as const;

/**
 * Placement of the threads that pass packets between a NIC and virtual machines. The kernel datapath of OVS works in
 * softirq, which PKT0301 judges; of ovs-vswitchd only PMD threads and upcall handlers touch packets. A PMD thread
 * polls the NICs that were given to a userspace driver, where there are any: a NIC of the kernel on another node, as for
 * management, says nothing about it.
 */
export const ovsOffNode = defineRule({
  code: 'PKT0303',
  id: 'ovs-off-node',
  role: 'cause',
  title: "Open vSwitch or vhost threads work on another NUMA node than the NIC's",
  scope: [],
  watched: { from: { packetsPerSecond: 500 } },
  signals: {
    // Every host has ksoftirqd among them: an empty list of the others is then an answer.
    anyThread: list(rate(processCpu)),
    threads: optionalList(rate(processCpu, switching)),
    cpuNodes: list(value(cpuNode)),
    lastCpus: decidingList(value(processLastCpu, switching)),
    allowed: decidingList(value(processAllowed, switching)),
    dedicated: optionalList(value(cpuDedicated)),
    devices: optionalList(value(deviceNumaNode)),
    packets: optionalList(above(rate(receivePackets, { netns: '' }), 0)),
    given: optionalList(value(userspaceNic)),
  },
  thresholds: {
    cpuShare: {
      value: 0.05,
      unit: 'ratio',
      help: 'Share of one CPU that a thread must use before its place matters.',
      source: 'judgement: five ticks of 100 in a second',
    },
    packets: {
      value: 1000,
      unit: 'per second',
      help: 'Packets per second from which a NIC counts as in use.',
      source: 'judgement: far below what makes a switch thread busy',
    },
  },
  messages: {
    pinned:
      '{threads:count} Open vSwitch or vhost threads ({names}) may only run on CPUs {cpus}, off node {node} of {devices}, and use ' +
      '{busy:percent} of a CPU: packets and buffers cross the interconnect.',
    running:
      '{threads:count} Open vSwitch or vhost threads ({names}) that use {busy:percent} of a CPU were last seen on CPUs {cpus}, off node ' +
      '{node} of {devices}, though they may run there.',
  },
  alert: { none: 'the CPUs that a thread may run on are a list, which PromQL cannot take apart' },
  conclude({ threads, cpuNodes, lastCpus, allowed, dedicated, devices, packets, given }, limits) {
    // The rest of ovs-vswitchd keeps flow tables and the database: where that runs is of no matter to packets.
    const touching = threads.filter(
      ({ labels: { role, comm = '' } }) => role !== 'ovs' || /^(pmd|handler|dispatcher)/.test(comm),
    );
    if (touching.length === 0) return notApplicable('no Open vSwitch or vhost thread runs here');
    const topology = topologyOf(cpuNodes, dedicated);
    if (topology.nodes.length < 2) return notApplicable('fewer than two NUMA nodes of this host have CPUs');
    const busy = touching.filter(({ value: share }) => share >= limits.cpuShare).sort((a, b) => b.value - a.value);
    if (busy.length === 0) return ok();
    const carrying = devices.filter(({ labels: { device } }) =>
      packets.some(({ labels, value: pps }) => labels['device'] === device && pps >= limits.packets),
    );
    const known = carrying.filter(({ value: node }) => node >= 0);
    const ofKernel = homeOf(
      known.map(({ labels: { device = '' }, value: node }) => ({ name: device, node: `${node}` })),
    );
    const ofUserspace = homeOf(given.map(({ labels: { pci = '', node = '' } }) => ({ name: pci, node })));
    const placed = busy
      .map((thread) => placedThread(thread, allowed, lastCpus))
      .map((thread) => ({ ...thread, home: isPmd(thread) && given.length > 0 ? ofUserspace : ofKernel }));
    const judged = placed.filter(({ home }) => home !== undefined);
    const isHome = ({ home }: (typeof judged)[number], cpu: number): boolean =>
      home!.nodes.includes(topology.nodeOf(cpu) ?? home!.nodes[0]!);
    const pinned = judged.filter((each) => each.cpus.length > 0 && !each.cpus.some((cpu) => isHome(each, cpu)));
    const strayed = judged.filter(
      (each) => !pinned.includes(each) && each.last !== undefined && !isHome(each, each.last),
    );
    const off = pinned.length > 0 ? pinned : strayed;
    if (off.length === 0 && judged.length < placed.length) {
      return notMeasured(
        carrying.length > 0 || given.length > 0
          ? 'the firmware did not say which NUMA node the NICs in use are on'
          : 'no NIC that the kernel sees carries traffic: ports bound to a userspace driver are not network devices',
      );
    }
    if (off.length === 0) return ok();
    const polling = off.filter(isPmd);
    const others = off.filter((each) => !isPmd(each));
    const nodesOf = (threads: typeof off): string[] => [...new Set(threads.flatMap(({ home }) => home!.nodes))].sort();
    const names = [...new Set(off.map(({ comm }) => comm))];
    const cpus = pinned.length > 0 ? off.flatMap(({ cpus: allowed }) => allowed) : off.map(({ last }) => Number(last));
    const said = {
      args: {
        threads: off.length,
        names: listed(names, names.slice(0, 4).join(', ')),
        cpus: listed(cpus, formatCpuList(cpus)),
        node: listed(nodesOf(off)),
        devices: listed([...new Set(off.flatMap(({ home }) => home!.names))]),
        busy: takenByThreads(
          off.map(({ share }) => share),
          pinned.length > 0 ? new Set(cpus).size : cpuNodes.length,
        ),
      },
      evidence: { threads: ['>=', limits.cpuShare], lastCpus: null, allowed: null, devices: null, given: null },
      remedies: [
        ...(polling.length > 0
          ? movePmd(maskFor(placed.filter(isPmd), polling, nodesOf(polling), topology), nodesOf(polling).join(' and '))
          : []),
        ...moveThreads(
          others.map(({ pid }) => pid),
          nodesOf(others).flatMap((node) => topology.usableCpus(node)),
          `Let them run on the CPUs of node ${nodesOf(others).join(' and ')}. For vhost threads move the virtual machine's memory and vCPUs there too.`,
        ),
      ],
      place: { cpus: off.flatMap(({ last }) => (last === undefined ? [] : [`${last}`])) },
    } as const;
    return pinned.length > 0
      ? warning({ ...said, certainty: 'measured', message: 'pinned' })
      : // One look at where it was: half of those that roam are off the node at any time.
        info({ ...said, certainty: 'possible', message: 'running' });
  },
});

interface Placed {
  readonly pid: string;
  readonly comm: string;
  readonly share: number;
  /** CPUs it may run on; empty when not known. */
  readonly cpus: readonly number[];
  readonly last: number | undefined;
}

interface Home {
  readonly names: readonly string[];
  readonly nodes: readonly string[];
}

/** Where NICs are; undefined when there are none, or the node of one is not known. */
function homeOf(nics: readonly { readonly name: string; readonly node: string }[]): Home | undefined {
  const nodes = [...new Set(nics.map(({ node }) => node))].sort();
  return nodes.length === 0 || nodes.includes('') ? undefined : { names: nics.map(({ name }) => name), nodes };
}

/** The mask holds the CPUs of all PMD threads: those that may stay, and as many of the nodes as have to move. */
function maskFor(
  all: readonly Placed[],
  moving: readonly Placed[],
  nodes: readonly string[],
  topology: Topology,
): number[] {
  const pids = new Set(moving.map(({ pid }) => pid));
  const kept = all.filter(({ pid }) => !pids.has(pid)).flatMap(({ cpus }) => cpus);
  const spare = nodes.flatMap((node) => topology.cpusToPoll(node)).filter((cpu) => !kept.includes(cpu));
  return [...kept, ...spare.slice(0, moving.length)];
}

/** `pmd-c02/id:9`: ovs-vswitchd's, not the kernel's. */
function isPmd({ comm }: Placed): boolean {
  return comm.startsWith('pmd');
}

function placedThread(
  { labels, value: share }: Signal,
  allowed: readonly Signal[],
  lastCpus: readonly Signal[],
): Placed {
  const mine = ({ labels: { pid } }: Signal): boolean => pid === labels['pid'];
  return {
    pid: labels['pid'] ?? '',
    comm: labels['comm'] ?? '',
    share,
    cpus: cpusOf(allowed.find(mine)?.labels['cpus']),
    last: lastCpus.find(mine)?.value,
  };
}
