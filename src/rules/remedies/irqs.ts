import { formatCpuList } from '../../base/cpu-list.ts';
import { cpuMask } from '../../facts/cpus.ts';
import type { Feeder, RpsQueue } from '../../facts/packet-cpus.ts';
import type { Signal } from '../../facts/signal.ts';
import type { Advice } from '../finding.ts';
import { moveThreads } from './numa.ts';
import { keepingBefore, writeFiles } from './setting.ts';
import { shellQuote } from './shell.ts';

/** A CPU with less softirq time than this can take more. */
const ROOM = 0.3;
/** Interrupts that a NIC with one queue may have: for reception, transmission and its configuration (virtio_net). */
const ONE_QUEUE = 3;
/** Most interrupts that one remedy moves. */
const MOVED = 8;

interface Busy {
  readonly cpu: string;
  readonly feeders: readonly Feeder[];
  readonly queues: readonly RpsQueue[];
  /** Process ids of the NAPI threads on it. */
  readonly threads: readonly string[];
  /** The interrupts of all NICs, wherever they are taken. */
  readonly deviceIrqs: readonly Signal[];
  /** False when something else than packets takes the CPU. */
  readonly network: boolean;
  /** Softirq share of every CPU, label `on`. */
  readonly loads: readonly Signal[];
  /** CPUs set apart, label `on`: never a place for packet work. */
  readonly dedicated: readonly Signal[];
}

/** For a CPU whose programs compete with its packets. */
export function makeRoom(cpu: string): Advice {
  return {
    action: `See which programs run on CPU ${cpu}, and keep the busiest on others (taskset, cpuset) where packets have to be received.`,
    command: `ps -eLo psr,pcpu,pid,tid,comm --sort=-pcpu | awk 'NR == 1 || $1 == ${cpu}' | head`,
    verify: `mpstat -P ${cpu} 1 5; pktcost diagnose --window 10s`,
  };
}

/** For a CPU that few packets fill. */
export function seeDearPackets(cpu: string): Advice {
  return {
    action: `See what a packet meets on CPU ${cpu}: the profile of this report, or perf.`,
    command: `perf record -C ${cpu} -g -- sleep 10 && perf report --stdio --no-children | head -n 60`,
    verify: `mpstat -P ${cpu} 1 5; pktcost diagnose --window 10s`,
  };
}

/** Moves all but the busiest interrupt to CPUs with room; a single queue is spread by more queues or RPS. */
export function spreadPacketWork(busy: Busy): Advice[] {
  const { cpu, feeders, queues, threads, network } = busy;
  const verify = `mpstat -P ${cpu} 1 5; pktcost diagnose --window 10s`;
  if (!network) {
    return [
      {
        action: `See which softirq it is: the column CPU${cpu} of /proc/softirqs, by difference.`,
        command: 'before=$(mktemp) && cp /proc/softirqs "$before" && sleep 5 && diff "$before" /proc/softirqs',
        verify,
      },
    ];
  }
  const room = cpusWithRoom(busy);
  const irqs = distinctIrqs(feeders);
  if (irqs.length > 1 && room.length > 0) {
    const moves = irqs.slice(1, MOVED + 1).map(({ irq }, index) => setAffinity(irq, [room[index % room.length]!]));
    return [
      {
        action: `Give the NIC interrupts of CPU ${cpu}, but for the busiest, to CPUs with room; stop irqbalance first or it moves them back.`,
        ...writeFiles('irqs', moves),
        verify,
      },
    ];
  }
  const device = feeders[0]?.device;
  const vectors = busy.deviceIrqs.filter(({ labels }) => labels['device'] === device).length;
  if (device !== undefined && vectors > ONE_QUEUE) {
    return [
      {
        action: `IRQ ${irqs[0]!.irq} is one of ${vectors} of ${device}, so CPU ${cpu} is short of time by one queue: a single flow, or RSS that sends it more than its part. See which queue gets most, and how the indirection table spreads them.`,
        command: `ethtool -x ${shellQuote(device)}; ethtool -S ${shellQuote(device)} | grep -iE 'rx.*(packets|pkts)'`,
        verify,
      },
    ];
  }
  if (device !== undefined) {
    const target = room.length > 0 ? room : [Number(cpu)];
    return [
      {
        action: `${device} brings all its packets to CPU ${cpu} by one interrupt: use more hardware queues. This resets the queues of the device for a moment.`,
        ...keepingBefore(
          'queues',
          `ethtool -l ${shellQuote(device)} | awk '/^Combined:/ { now = $2 } END { print "ethtool -L ${pathPart(device)} combined " now }'`,
          `ethtool -L ${shellQuote(device)} combined ${Math.max(2, vectors, Math.min(8, target.length))}`,
        ),
        verify,
      },
      ...(room.length > 0
        ? [
            {
              action: `If it has one queue only, let RPS share the work behind the driver among CPUs ${formatCpuList(room)}.`,
              ...writeFiles('rps', [[`/sys/class/net/${pathPart(device)}/queues/rx-0/rps_cpus`, cpuMask(room)]]),
              verify,
            },
          ]
        : []),
    ];
  }
  const [queue] = queues;
  if (queue !== undefined && room.length > 0) {
    const cpus = [...queue.cpus.filter((each) => `${each}` !== cpu), ...room];
    const file = `/sys/class/net/${pathPart(queue.device)}/queues/rx-${queue.queue}/rps_cpus`;
    return [
      {
        action: `RPS moves packets of ${queue.device} to CPU ${cpu}: name CPUs with room instead.`,
        command: `echo ${cpuMask(cpus)} > ${file}`,
        undo: `echo ${cpuMask(queue.cpus)} > ${file}`,
        verify,
      },
    ];
  }
  if (threads.length > 0 && room.length > 0) {
    return moveThreads(
      threads,
      room,
      `Let the NAPI threads on CPU ${cpu} run on CPUs with room: ${formatCpuList(room)}.`,
    );
  }
  return [
    {
      action: `Find what CPU ${cpu} works on: packets that a program on it sends through veth, bridge or loopback are received there too.`,
      command: `perf top -C ${cpu}`,
      verify,
    },
  ];
}

/** Takes packet work off a CPU that was set apart, and gives it to the CPUs that were not. */
export function keepOff({
  cpu,
  feeders,
  queues,
  threads,
  housekeeping,
}: Pick<Busy, 'cpu' | 'feeders' | 'queues' | 'threads'> & {
  readonly housekeeping: readonly number[];
}): Advice[] {
  const remedies: Advice[] = [];
  const list = formatCpuList(housekeeping);
  const irqs = distinctIrqs(feeders);
  if (irqs.length > 0 && list !== '') {
    remedies.push({
      action: `Keep the interrupts of ${distinct(irqs.map(({ device }) => device)).join(', ')} on the housekeeping CPUs ${list}. Where the kernel manages them itself (write error), boot with isolcpus=managed_irq.`,
      ...writeFiles(
        'irqs',
        irqs.slice(0, MOVED).map(({ irq }) => setAffinity(irq, housekeeping)),
      ),
      verify: `cat ${irqs
        .slice(0, MOVED)
        .map(({ irq }) => `/proc/irq/${irq}/effective_affinity_list`)
        .join(' ')}`,
    });
  }
  for (const { device, queue, cpus } of queues.slice(0, MOVED)) {
    const file = `/sys/class/net/${pathPart(device)}/queues/rx-${queue}/rps_cpus`;
    const left = cpus.filter((each) => housekeeping.includes(each));
    const mask = cpuMask(left.length > 0 ? left : housekeeping);
    remedies.push({
      action: `Take CPU ${cpu} out of RPS of ${device} rx-${queue}.`,
      command: `echo ${mask} > ${file}`,
      undo: `echo ${cpuMask(cpus)} > ${file}`,
      verify: `cat ${file}`,
    });
  }
  if (list !== '')
    remedies.push(
      ...moveThreads(threads, housekeeping, `Let the NAPI threads on CPU ${cpu} run on the housekeeping CPUs ${list}.`),
    );
  if (remedies.length === 0) {
    remedies.push({
      action: `No NIC interrupt and no RPS queue brings them: find the program on CPU ${cpu} that sends through veth, bridge or loopback, whose packets are received where they are sent.`,
      command: `ps -eLo psr,pid,comm | awk '$1 == ${cpu}'`,
      verify: 'pktcost diagnose --window 10s',
    });
  }
  return remedies;
}

function cpusWithRoom({ cpu, loads, dedicated }: Busy): number[] {
  const taken = new Set(dedicated.map(({ labels }) => labels['on']));
  return loads
    .filter(({ labels, value }) => value < ROOM && labels['on'] !== cpu && !taken.has(labels['on']))
    .sort((a, b) => a.value - b.value || Number(a.labels['on']) - Number(b.labels['on']))
    .slice(0, MOVED)
    .map(({ labels }) => Number(labels['on']));
}

function setAffinity(irq: string, cpus: readonly number[]): readonly [file: string, value: string] {
  return [`/proc/irq/${pathPart(irq)}/smp_affinity_list`, formatCpuList(cpus)];
}

/** Two ports of one function may share an interrupt: it is moved once. */
function distinctIrqs(feeders: readonly Feeder[]): Feeder[] {
  return [...new Map(feeders.map((each) => [each.irq, each])).values()];
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}

/** A device name in a path: names may hold anything but a slash and blanks. */
function pathPart(name: string): string {
  return shellQuote(name);
}
