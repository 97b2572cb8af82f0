/** Which rules have to be looked at after a window of a watch: those of which something moved that need not move on a healthy host. */
import type { Metric } from '../../metrics/metric.ts';
import { OWN_NETNS, type Snapshot } from '../../metrics/snapshot.ts';
import { Window } from '../../metrics/window.ts';
import {
  cpuSeconds,
  pressureCpuWaiting,
  pressureIoStalled,
  pressureIoWaiting,
  pressureIrqStalled,
  pressureMemoryStalled,
  pressureMemoryWaiting,
  softnetProcessed,
} from '../../metrics/catalogue/index.ts';
import type { Overrides } from '../../rules/engine.ts';
import type { WatchedLoad, Rule } from '../../rules/rule.ts';
import type { Moved } from '../../sources/piecewise.ts';

/** Read for each window; nearly all of them are small files that say the same as before in a namespace without traffic. */
export const quickCollectors: ReadonlySet<string> = new Set([
  'conntrack',
  'cpu',
  'neighbours',
  'netdev',
  'netstat',
  'numa',
  'pressure',
  'qdisc',
  'sockstat',
  'softirqs',
  'softnet',
  'xfrm',
]);

/** Traffic moves these, and nothing is wrong. What they come to is looked at as load, or beside a loss. */
const routine: ReadonlySet<string> = new Set([
  'node_cpu_seconds_total',
  'node_softirqs_functions_total',
  'node_softnet_processed_total',
  'node_softnet_received_rps_total',
  'node_network_receive_packets_total',
  'node_network_receive_bytes_total',
  'node_network_transmit_packets_total',
  'node_netstat_Tcp_InSegs',
  'node_netstat_Tcp_OutSegs',
  'node_netstat_Tcp_PassiveOpens',
  'node_netstat_Ip_InReceives',
  'node_netstat_Ip6_InReceives',
  'node_netstat_Ip_OutRequests',
  'node_netstat_Ip_ForwDatagrams',
  'node_netstat_Udp_InDatagrams',
  'node_netstat_Udp6_InDatagrams',
  'node_netstat_Udp_OutDatagrams',
  'node_netstat_Udp6_OutDatagrams',
  'node_sockstat_UDP_mem',
  'node_memory_numa_numa_hit_total',
  'node_memory_numa_MemFree',
  'node_memory_numa_MemTotal',
  'node_memory_numa_FilePages',
  'node_qdisc_packets_total',
  'node_qdisc_current_queue_length',
]);

/** Collectors that tell the load. */
export const loads: readonly string[] = ['cpu', 'softnet', 'pressure'];

/** What can only be told with the probe: no window without it makes them fire. */
const ofProbe: ReadonlySet<string> = new Set(['profile', 'ebpf']);
/** What changes by the second and is not read each time, by what it is asked for. */
const beside = { loss: ['sockets', 'rawsockets'], load: ['interrupts', 'processes'] } as const;

/** Whether it is read for each window, and no healthy host need move it. */
export function stirs({ name, collector }: Pick<Metric, 'name' | 'collector'>): boolean {
  return quickCollectors.has(collector) && !routine.has(name);
}

export interface Stirred {
  /** Codes of the rules. */
  readonly stirred: ReadonlySet<string>;
  /** Collectors that these rules take and that were not read, with the namespaces to read them in. */
  readonly unread: ReadonlyMap<string, ReadonlySet<string>>;
}

interface Rated {
  readonly rule: Rule;
  readonly metrics: ReadonlyMap<string, Metric>;
}

export class Stirring {
  readonly #rules: readonly Rated[];
  readonly #changed: ReadonlySet<string>;

  /** @param overrides limits of the user's: a rule about load that has some is looked at each time */
  constructor(rules: readonly Rule[], overrides: Overrides) {
    this.#rules = rules
      .filter((rule) => !metricsOf(rule, true).some(({ collector }) => ofProbe.has(collector)))
      .map((rule) => ({ rule, metrics: new Map(metricsOf(rule, false).map((metric) => [metric.name, metric])) }));
    this.#changed = new Set(Object.keys(overrides));
  }

  /**
   * @param own where the load stands (`loads`), before and after
   * @param moved what is different from before, by namespace
   * @param nothing codes of the rules for which there was nothing of the kind when all was read: of load they need no look
   */
  after(own: readonly [Snapshot, Snapshot], moved: Moved, nothing: ReadonlySet<string>): Stirred {
    const load = loadOf(new Window(...own));
    const unread = new Map<string, Set<string>>();
    const want = (collector: string, netns: string): void => {
      unread.set(collector, (unread.get(collector) ?? new Set()).add(netns));
    };
    const stirred = new Set<string>();
    for (const { rule, metrics } of this.#rules) {
      const collectors = new Set([...metrics.values()].map(({ collector }) => collector));
      const { watched } = rule;
      const from = watched !== undefined && 'from' in watched ? watched.from : undefined;
      const loaded =
        from !== undefined && !nothing.has(rule.code) && (this.#changed.has(rule.code) || reaches(load, from));
      if (loaded) for (const id of beside.load) if (collectors.has(id)) want(id, OWN_NETNS);
      let stirs = loaded;
      for (const [netns, names] of moved) {
        const found = from === undefined ? [...metrics].filter(([name]) => names.has(name) && !routine.has(name)) : [];
        stirs ||= found.length > 0;
        // A level alone names no socket: whose it was is asked when something was lost.
        if (found.some(([, { type }]) => type !== 'gauge'))
          for (const id of beside.loss) if (collectors.has(id)) want(id, netns);
      }
      if (stirs) stirred.add(rule.code);
    }
    return { stirred, unread };
  }
}

function metricsOf({ signals }: Rule, required: boolean): readonly Metric[] {
  return Object.values(signals).flatMap((signal) => {
    if (!('of' in signal)) return signal.metrics;
    return required && (signal.kind === 'optional' || !signal.required) ? [] : signal.of.metrics;
  });
}

function reaches(load: WatchedLoad, { share, packetsPerSecond, waiting }: Partial<WatchedLoad>): boolean {
  return (
    load.share >= (share ?? 0) && load.packetsPerSecond >= (packetsPerSecond ?? 0) && load.waiting >= (waiting ?? 0)
  );
}

const LOAD_MODES: ReadonlySet<string> = new Set(['softirq', 'irq', 'steal']);

function loadOf(window: Window): WatchedLoad {
  const spent = new Map<string, number>();
  for (const { labels, increase, seconds } of window.increase(cpuSeconds).cells) {
    const { cpu = '', mode = '' } = labels;
    if (LOAD_MODES.has(mode)) spent.set(cpu, (spent.get(cpu) ?? 0) + increase / seconds);
  }
  const most = (metric: Metric): number =>
    Math.max(0, ...window.increase(metric).cells.map(({ increase, seconds }) => increase / seconds));
  return {
    share: Math.max(0, ...spent.values()),
    packetsPerSecond: most(softnetProcessed),
    waiting: Math.max(...pressures.map(most)),
  };
}

const pressures: readonly Metric[] = [
  pressureCpuWaiting,
  pressureIoWaiting,
  pressureIoStalled,
  pressureMemoryWaiting,
  pressureMemoryStalled,
  pressureIrqStalled,
];
