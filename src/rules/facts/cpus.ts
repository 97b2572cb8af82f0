import type { Signal } from '../rule.ts';

/** Far above NR_CPUS of any kernel: a list from the host cannot make us allocate without bound. */
const CPU_LIMIT = 65536;

/** CPUs of a list such as `0-3,8`, in order; parts that are no range are left out. */
export function parseCpuList(list: string): number[] {
  const cpus = new Set<number>();
  for (const part of list.split(',')) {
    const [, from, to] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part.trim()) ?? [];
    if (from === undefined) continue;
    const last = Math.min(Number(to ?? from), CPU_LIMIT);
    for (let cpu = Number(from); cpu <= last; cpu += 1) cpus.add(cpu);
  }
  return [...cpus].sort((a, b) => a - b);
}

/** The same list as the kernel prints it. */
export function formatCpuList(cpus: readonly number[]): string {
  const sorted = [...new Set(cpus)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; at += 1) {
    const first = sorted[at]!;
    while (sorted[at + 1] === sorted[at]! + 1) at += 1;
    const last = sorted[at]!;
    parts.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return parts.join(',');
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
    nodes.set(node, [...(nodes.get(node) ?? []), Number(cpu)]);
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
