import {
  cpuDedicated,
  cpuNode,
  deviceNumaNode,
  processAllowed,
  processCpu,
  processLastCpu,
  receivePackets,
} from '../metrics/catalogue/index.ts';
import { above, rate, value } from '../metrics/expression.ts';
import { formatCpuList, parseCpuList, topologyOf } from './facts/cpus.ts';
import { movePmd, moveThreads } from './remedies/numa.ts';
import { defineRule, info, list, notApplicable, notMeasured, ok, optionalList, warning, type Signal } from './rule.ts';
import { thresholds } from './thresholds.ts';

const switching = { role: ['ovs', 'vhost'] } as const;

/**
 * Placement of the threads that pass packets between a NIC and virtual machines. The kernel datapath of OVS works in
 * softirq, which PKT0301 judges; of ovs-vswitchd only PMD threads and upcall handlers touch packets. A PMD thread mostly
 * polls ports that are bound to a userspace driver, whose node the kernel's devices do not tell: it is never blamed.
 */
export const ovsOffNode = defineRule({
  code: 'PKT0303',
  id: 'ovs-off-node',
  role: 'cause',
  title: "Open vSwitch or vhost threads work on another NUMA node than the NIC's",
  seed: 'Example B',
  scope: [],
  signals: {
    // Every host has ksoftirqd among them: an empty list of the others is then an answer.
    anyThread: list(rate(processCpu)),
    threads: optionalList(rate(processCpu, switching)),
    cpuNodes: list(value(cpuNode)),
    lastCpus: optionalList(value(processLastCpu, switching)),
    allowed: optionalList(value(processAllowed, switching)),
    dedicated: optionalList(value(cpuDedicated)),
    devices: optionalList(value(deviceNumaNode)),
    packets: optionalList(above(rate(receivePackets, { netns: '' }), 0)),
  },
  thresholds: thresholds.PKT0303,
  messages: {
    pinned:
      '{threads:count} Open vSwitch or vhost threads ({names}) may only run on CPUs {cpus}, off node {node} of {devices}, and use ' +
      '{busy:percent} of a CPU: packets and buffers cross the interconnect.',
    running:
      '{threads:count} Open vSwitch or vhost threads ({names}) that use {busy:percent} of a CPU were last seen on CPUs {cpus}, off node ' +
      '{node} of {devices}, though they may run there.',
    polling:
      '{threads:count} PMD threads of Open vSwitch ({names}) may only run on CPUs {cpus}, while the kernel devices in use ' +
      '({devices}) are on node {node}. Whether they are off the node of the ports they poll is not known: those of DPDK are ' +
      'no kernel devices.',
  },
  conclude({ threads, cpuNodes, lastCpus, allowed, dedicated, devices, packets }, limits) {
    if (threads.length === 0) return notApplicable('no Open vSwitch or vhost thread runs here');
    const topology = topologyOf(cpuNodes, dedicated);
    if (topology.nodes.length < 2) return notApplicable('fewer than two NUMA nodes of this host have CPUs');
    const busy = threads.filter(({ value: share }) => share >= limits.cpuShare).sort((a, b) => b.value - a.value);
    if (busy.length === 0) return ok();
    const carrying = devices.filter(({ labels: { device } }) =>
      packets.some(({ labels, value: pps }) => labels['device'] === device && pps >= limits.packets),
    );
    const known = carrying.filter(({ value: node }) => node >= 0);
    if (known.length === 0) {
      return notMeasured(
        carrying.length > 0
          ? 'the firmware did not say which NUMA node the NICs in use are on'
          : 'no NIC that the kernel sees carries traffic: ports bound to a userspace driver are not network devices',
      );
    }
    const nodes = [...new Set(known.map(({ value: node }) => `${node}`))].sort();
    const isHome = (cpu: string | number): boolean => nodes.includes(topology.nodeOf(cpu) ?? nodes[0]!);
    const home = nodes.flatMap((node) => topology.usableCpus(node));
    const placed = busy.map((thread) => placeOf(thread, allowed, lastCpus));
    const pinned = placed.filter(({ cpus }) => cpus.length > 0 && !cpus.some(isHome));
    const strayed = placed.filter((each) => !pinned.includes(each) && each.last !== undefined && !isHome(each.last));
    const pmd = placed.filter(isPmd);
    const pmdOff = pinned.filter(isPmd);
    const off = (pinned.length > pmdOff.length ? pinned : strayed).filter((each) => !isPmd(each));
    const shown = { threads: ['>=', limits.cpuShare], lastCpus: null, allowed: null, devices: null } as const;
    if (off.length === 0) {
      if (pmdOff.length === 0) return ok();
      const kept = pmd.filter((each) => !pmdOff.includes(each)).flatMap(({ cpus }) => cpus);
      const spare = nodes.flatMap((node) => topology.cpusToPoll(node)).filter((each) => !kept.includes(each));
      return info({
        certainty: 'possible',
        message: 'polling',
        args: {
          ...argsOf(pmdOff),
          cpus: formatCpuList(pmdOff.flatMap(({ cpus }) => cpus)),
          node: nodes.join(', '),
          devices: namesOf(known),
        },
        evidence: shown,
        remedies: movePmd([...kept, ...spare.slice(0, pmdOff.length)], nodes.join(' and ')),
      });
    }
    const what = `Let them run on the CPUs of node ${nodes.join(' and ')}. For vhost threads move the virtual machine's memory and vCPUs there too.`;
    const said = {
      args: {
        ...argsOf(off),
        cpus: formatCpuList(pinned.length > 0 ? off.flatMap(({ cpus }) => cpus) : off.map(({ last }) => Number(last))),
        node: nodes.join(', '),
        devices: namesOf(known),
      },
      evidence: shown,
      remedies: moveThreads(
        off.map(({ pid }) => pid),
        home,
        what,
      ),
      place: { cpus: off.flatMap(({ last }) => (last === undefined ? [] : [`${last}`])) },
    } as const;
    return pinned.length > 0
      ? warning({ ...said, certainty: 'measured', message: 'pinned' })
      : warning({ ...said, certainty: 'possible', message: 'running' });
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

/** `pmd-c02/id:9`: ovs-vswitchd's, not the kernel's. */
function isPmd({ comm }: Placed): boolean {
  return comm.startsWith('pmd');
}

function argsOf(threads: readonly Placed[]): { threads: number; names: string; busy: number } {
  return {
    threads: threads.length,
    names: [...new Set(threads.map(({ comm }) => comm))].slice(0, 4).join(', '),
    busy: threads.reduce((sum, { share }) => sum + share, 0),
  };
}

function namesOf(devices: readonly Signal[]): string {
  return devices.map(({ labels: { device = '' } }) => device).join(', ');
}

function placeOf({ labels, value: share }: Signal, allowed: readonly Signal[], lastCpus: readonly Signal[]): Placed {
  const mine = ({ labels: { pid } }: Signal): boolean => pid === labels['pid'];
  return {
    pid: labels['pid'] ?? '',
    comm: labels['comm'] ?? '',
    share,
    cpus: parseCpuList(allowed.find(mine)?.labels['cpus'] ?? ''),
    last: lastCpus.find(mine)?.value,
  };
}
