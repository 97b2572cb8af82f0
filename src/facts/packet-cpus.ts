import { formatCpuList } from '../base/cpu-list.ts';
import { cpusOf } from './cpus.ts';
import type { Signal } from './signal.ts';

/** Threads that receive outside of softirq context, in place of NET_RX: of a NIC's NAPI, and of a CPU's backlog. */
export const receivingThreads: readonly string[] = ['napi', 'backlog'];

/**
 * Time of NAPI threads by CPU, in CPU-seconds per second. Such a thread polls outside of softirq context and is `system`
 * in /proc/stat (net/core/dev.c:napi_threaded_poll); ksoftirqd is left out, whose time is in `softirq` already.
 * A thread that may run on several CPUs is put down to the one it was last seen on.
 */
export function napiTimeOn(
  cpu: string,
  threads: readonly Pick<Signal, 'labels' | 'value'>[],
  lastCpus: readonly Pick<Signal, 'labels' | 'value'>[],
): { readonly seconds: number; readonly names: readonly string[]; readonly pids: readonly string[] } {
  const here = new Set(lastCpus.filter(({ value }) => `${value}` === cpu).map(({ labels }) => labels['pid']));
  const mine = threads.filter(({ labels, value }) => value > 0 && here.has(labels['pid']));
  return {
    seconds: mine.reduce((sum, { value }) => sum + value, 0),
    names: mine.map(({ labels }) => labels['comm'] ?? '').slice(0, 4),
    pids: mine.map(({ labels }) => labels['pid'] ?? ''),
  };
}

export interface Feeder {
  readonly device: string;
  readonly irq: string;
  readonly perSecond: number;
}

/** The NIC interrupts that a CPU takes, busiest first: the interrupts it took, joined with those that belong to NICs. */
export function irqsOn(taken: readonly Signal[], deviceIrqs: readonly Signal[], leastPerSecond = 1): readonly Feeder[] {
  const rates = new Map<string, number>();
  for (const { labels, value } of taken) {
    const irq = labels['type'] ?? '';
    if (value >= leastPerSecond) rates.set(irq, (rates.get(irq) ?? 0) + value);
  }
  return deviceIrqs
    .flatMap(({ labels }) => {
      const irq = labels['type'] ?? '';
      const perSecond = rates.get(irq);
      return perSecond === undefined ? [] : [{ device: labels['device'] ?? '', irq, perSecond }];
    })
    .sort((a, b) => b.perSecond - a.perSecond);
}

export interface RpsQueue {
  readonly device: string;
  readonly queue: string;
  readonly cpus: readonly number[];
}

/** The receive queues whose packets RPS may move to this CPU. */
export function rpsOn(cpu: string, queues: readonly Signal[]): readonly RpsQueue[] {
  return queues
    .map(({ labels }) => ({
      device: labels['device'] ?? '',
      queue: labels['queue'] ?? '',
      cpus: cpusOf(labels['cpus']),
    }))
    .filter(({ cpus }) => cpus.includes(Number(cpu)));
}

/** What brings packets to a CPU, as data. */
export function feedersData(feeders: readonly Feeder[], queues: readonly RpsQueue[], threads: readonly string[]) {
  return {
    interrupts: feeders.map(({ device, irq, perSecond }) => ({ device, irq, perSecond })),
    rps: queues.map(({ device, queue, cpus }) => ({ device, queue, cpus })),
    threads,
  };
}

/** `eth0 IRQ 41 (12,000/s), RPS of eth1 rx-0`: what brings packets to a CPU. */
export function feedersText(
  feeders: readonly Feeder[],
  queues: readonly RpsQueue[],
  threads: readonly string[],
): string {
  const parts = [
    ...feeders.slice(0, 4).map(({ device, irq, perSecond }) => `${device} IRQ ${irq} (${Math.round(perSecond)}/s)`),
    ...queues
      .slice(0, 3)
      .map(({ device, queue, cpus }) => `RPS of ${device} rx-${queue} to CPUs ${formatCpuList(cpus)}`),
    ...threads.map((name) => `thread ${name}`),
  ];
  return parts.length === 0 ? 'no NIC interrupt or RPS queue: local, veth or loopback traffic' : parts.join(', ');
}
