import { parseCpuList } from '../base/cpu-list.ts';
import type { Signal } from './signal.ts';

/** The CPUs of a label that holds a list as the kernel prints it; none where it is no such list. */
export function cpusOf(list: string | undefined): readonly number[] {
  const cpus = parseCpuList(list ?? '');
  return cpus.ok ? cpus.value : [];
}

/** CPUs as a hexadecimal mask without 0x, in the groups of 32 bits that /proc and /sys take. */
export function cpuMask(cpus: readonly number[]): string {
  const digits = cpus.reduce((bits, cpu) => bits | (1n << BigInt(cpu)), 0n).toString(16);
  return digits.length <= 8 ? digits : digits.replace(/(?=(?:[0-9a-f]{8})+$)/g, ',').replace(/^,/, '');
}

export interface Topology {
  /** NUMA nodes that have CPUs. */
  readonly nodes: readonly string[];
  /** The node of a CPU; undefined when it is not known, as for a CPU that went offline. */
  nodeOf(cpu: string | number): string | undefined;
  /** The CPUs of a node that packet work may be given to: those not dedicated, or all of them if none is left. */
  usableCpus(node: string): readonly number[];
  /** The CPUs of a node that may be polled without rest: dedicated ones first, then from the last down, never its first. */
  cpusToPoll(node: string): readonly number[];
}

/** From the points of pktcost_cpu_node_info and, to spare them, of pktcost_cpu_dedicated_info. */
export function topologyOf(cpuNodes: readonly Signal[], dedicated: readonly Signal[] = []): Topology {
  const nodes = new Map<string, number[]>();
  const byCpu = new Map<string, string>();
  for (const { labels } of cpuNodes) {
    const cpu = labels['cpu'] ?? '';
    const node = labels['node'] ?? '';
    byCpu.set(cpu, node);
    const cpus = nodes.get(node);
    if (cpus === undefined) nodes.set(node, [Number(cpu)]);
    else cpus.push(Number(cpu));
  }
  const taken = new Set(dedicated.map(({ labels }) => Number(labels['cpu'])));
  return {
    nodes: [...nodes.keys()].sort(),
    nodeOf: (cpu) => byCpu.get(`${cpu}`),
    usableCpus: (node) => {
      const all = (nodes.get(node) ?? []).sort((a, b) => a - b);
      const free = all.filter((cpu) => !taken.has(cpu));
      return free.length > 0 ? free : all;
    },
    cpusToPoll: (node) => {
      const all = (nodes.get(node) ?? []).sort((a, b) => a - b);
      const free = all.filter((cpu) => !taken.has(cpu));
      return [...all.filter((cpu) => taken.has(cpu)), ...free.slice(1).reverse()];
    },
  };
}
