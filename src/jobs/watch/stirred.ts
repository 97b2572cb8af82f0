/** Which rules have to be looked at after a window of a watch: those of which something moved that need not move on a healthy host. */
import type { Metric } from '../../metrics/metric.ts';
import { OWN_NETNS, type Snapshot } from '../../metrics/snapshot.ts';
import { Window } from '../../metrics/window.ts';
import {
  cpuSeconds,
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

/** A rule, and what it takes. */
interface Rated {
  readonly rule: Rule;
  readonly collectors: ReadonlySet<string>;
  readonly metrics: ReadonlyMap<string, Metric>;
}

export class Stirring {
  /** Rules about load, with the load from which each is looked at. */
  readonly #ofLoad: readonly (Rated & { readonly from: Partial<WatchedLoad> })[];
  /** The other rules by the names of what need not move on a healthy host. */
  readonly #ofLoss: ReadonlyMap<string, readonly Rated[]>;
  readonly #changed: ReadonlySet<string>;

  /** @param overrides limits of the user's: a rule about load that has some is looked at each time */
  constructor(rules: readonly Rule[], overrides: Overrides) {
    const rated = rules
      .filter((rule) => !metricsOf(rule, true).some(({ collector }) => ofProbe.has(collector)))
      .map((rule) => ({
        rule,
        collectors: collectorsOf([rule]),
        metrics: new Map(metricsOf(rule, false).map((metric) => [metric.name, metric])),
      }));
    const loadOfRule = ({ rule: { watched } }: Rated): Partial<WatchedLoad> | undefined =>
      watched !== undefined && 'from' in watched ? watched.from : undefined;
    this.#ofLoad = rated.flatMap((each) => {
      const from = loadOfRule(each);
      return from === undefined ? [] : [{ ...each, from }];
    });
    const ofLoss = new Map<string, Rated[]>();
    for (const each of rated.filter((one) => loadOfRule(one) === undefined))
      for (const name of each.metrics.keys())
        if (!routine.has(name)) ofLoss.set(name, [...(ofLoss.get(name) ?? []), each]);
    this.#ofLoss = ofLoss;
    this.#changed = new Set(Object.keys(overrides));
  }

  /** Whether any rule is looked at when this metric moved. */
  readonly tells = (metric: string): boolean => this.#ofLoss.has(metric);

  /**
   * @param own where the load stands (`loads`), before and after
   * @param moved what is different from before, by namespace
   * @param nothing codes of the rules for which there was nothing of the kind when all was read: of load they need no look
   */
  after(own: readonly [Snapshot, Snapshot], moved: Moved, nothing: ReadonlySet<string>): Stirred {
    const load = loadOf(new Window(...own));
    const unread = new Map<string, Set<string>>();
    const want = (ids: readonly string[], of: ReadonlySet<string>, netns: string): void => {
      for (const id of ids) if (of.has(id)) unread.set(id, (unread.get(id) ?? new Set()).add(netns));
    };
    const stirred = new Set<string>();
    for (const { rule, collectors, from } of this.#ofLoad) {
      if (nothing.has(rule.code) || !(this.#changed.has(rule.code) || reaches(load, from))) continue;
      stirred.add(rule.code);
      want(beside.load, collectors, OWN_NETNS);
    }
    for (const [netns, names] of moved)
      for (const name of names)
        for (const { rule, collectors, metrics } of this.#ofLoss.get(name) ?? []) {
          stirred.add(rule.code);
          // A level alone names no socket: whose it was is asked when something was lost.
          if (metrics.get(name)?.type !== 'gauge') want(beside.loss, collectors, netns);
        }
    return { stirred, unread };
  }
}

/** Which collectors rules take something of. */
export function collectorsOf(rules: readonly Rule[]): ReadonlySet<string> {
  return new Set(rules.flatMap((rule) => metricsOf(rule, false).map(({ collector }) => collector)));
}

function metricsOf({ signals }: Rule, required: boolean): readonly Metric[] {
  return Object.values(signals).flatMap((signal) => {
    if (!('of' in signal)) return signal.metrics;
    return required && (signal.kind === 'optional' || !signal.required) ? [] : signal.of.metrics;
  });
}

function reaches(load: WatchedLoad, from: Partial<WatchedLoad>): boolean {
  const { share = 0, packetsPerSecond = 0, waiting = 0, stolen = 0 } = from;
  return (
    load.share >= share && load.packetsPerSecond >= packetsPerSecond && load.waiting >= waiting && load.stolen >= stolen
  );
}

const LOAD_MODES: ReadonlySet<string> = new Set(['softirq', 'irq']);

function loadOf(window: Window): WatchedLoad {
  const spent = new Map<string, number>();
  let stolen = 0;
  for (const { labels, increase, seconds } of window.increase(cpuSeconds).cells) {
    const { cpu = '', mode = '' } = labels;
    if (LOAD_MODES.has(mode)) spent.set(cpu, (spent.get(cpu) ?? 0) + increase / seconds);
    if (mode === 'steal') stolen += increase / seconds;
  }
  const most = (metric: Metric): number =>
    Math.max(0, ...window.increase(metric).cells.map(({ increase, seconds }) => increase / seconds));
  return {
    share: Math.max(0, ...spent.values()),
    packetsPerSecond: most(softnetProcessed),
    waiting: Math.max(...pressures.map(most)),
    stolen,
  };
}

/** Those that hurt the packet path; who waits for a CPU or a disk on a busy host is of no rule's warning. */
const pressures: readonly Metric[] = [pressureMemoryWaiting, pressureMemoryStalled, pressureIrqStalled];
