/**
 * The declaration of a metric. Each metric is declared once, in `catalogue/`; help text, exposition page, evidence
 * lines, PromQL and documentation all come from that declaration.
 */

export type MetricType = 'counter' | 'gauge' | 'untyped';

/**
 * How wide the kernel's own counter is. A u32 wraps at 2^32 and is subtracted modulo 2^32, per CPU and before summing:
 * `u32` series are one cell each (label `cpu`), `u32-per-cpu` series show the sum, as node_exporter does, and keep the
 * cells beside it.
 */
export type CounterWidth = 'u64' | 'u32' | 'u32-per-cpu';

export type MetricUnit =
  | 'packets'
  | 'frames'
  | 'bytes'
  | 'seconds'
  | 'nanoseconds'
  | 'pages'
  | 'entries'
  | 'events'
  | 'segments'
  | 'datagrams'
  | 'connections'
  | 'connection attempts'
  | 'sockets'
  | 'calls'
  | 'cpus'
  | 'lanes'
  | 'ratio'
  | 'number'
  | 'none';

/** What an expression counts in: as its metric, or of that per second. */
export type ReadingUnit = MetricUnit | `${MetricUnit}/s`;

export type Labels = Readonly<Record<string, string>>;

export interface Metric<L extends string = string> {
  readonly name: string;
  readonly type: MetricType;
  readonly unit: MetricUnit;
  /** One sentence for a kernel engineer: what makes this number move. */
  readonly help: string;
  readonly labels: readonly L[];
  /** Those of them that say what the number is of: where one is empty it is a sum, or another thing altogether. */
  readonly identifiedBy: readonly string[];
  readonly width: CounterWidth;
  /** Time-like counter whose cells may step back a little (idle, iowait): negative steps count as zero. */
  readonly stepsBack: boolean;
  /** Zero cells are not emitted: within a collector that succeeded, an absent cell reads as zero. */
  readonly sparse: boolean;
  /** Per network namespace: series of namespaces other than pktcost's own carry the extra label `netns`. */
  readonly perNetns: boolean;
  readonly collector: string;
  /** The collector that has it of other namespaces, where that is another one. */
  readonly elsewhere?: string;
  /** The file or dump it is read from. */
  readonly source: string;
  /** The flag without which node_exporter does not show it, of those that it has. */
  readonly exporterFlag?: string;
  /** On the page of `pktcost metrics` and nowhere else. */
  readonly pageOnly: boolean;
  /** Its name there, in seconds, where the plain one is taken. */
  readonly inSeconds?: string;
  /** The label that is a time, in nanoseconds: in seconds there. */
  readonly timeLabel?: string;
}

export interface MetricSpec<L extends string> {
  readonly unit: MetricUnit;
  readonly labels: readonly L[];
  readonly collector: string;
  readonly elsewhere?: string;
  readonly source: string;
  readonly help: string;
  /** Where it is not what its unit suggests: cells by what usually names one, what only describes by its CPU or device. */
  readonly identifiedBy?: readonly NoInfer<L>[];
  readonly width?: CounterWidth;
  readonly stepsBack?: boolean;
  readonly sparse?: boolean;
  readonly perNetns?: boolean;
  readonly exporterFlag?: string;
  /** Said of a metric that has a name as node_exporter's have, which it does not show all the same. */
  readonly pageOnly?: true;
  readonly inSeconds?: string;
  readonly timeLabel?: NoInfer<L>;
}

const describedBy = ['cpu', 'device'];
const cellOf = [...describedBy, 'mode', 'node', 'type', 'vector', 'span', 'quantile', 'size', 'name', 'state'];

function declare<const L extends string>(name: string, type: MetricType, spec: MetricSpec<L>): Metric<L> {
  const pageOnly = name.startsWith('pktcost_');
  const naming = spec.unit === 'none' ? describedBy : cellOf;
  const identifiedBy = spec.labels.filter((label) => naming.includes(label));
  return {
    identifiedBy,
    width: 'u64',
    stepsBack: false,
    sparse: false,
    perNetns: false,
    pageOnly,
    ...spec,
    name,
    type,
  };
}

export function counter<const L extends string>(name: string, spec: MetricSpec<L>): Metric<L> {
  return declare(name, 'counter', spec);
}

export function gauge<const L extends string>(name: string, spec: MetricSpec<L>): Metric<L> {
  return declare(name, 'gauge', spec);
}

/**
 * A counter that node_exporter exposes under another type: its `nf_conntrack_stat_*` are gauges and its
 * `node_netstat_*` untyped. pktcost treats them as the counters they are, and prints the type operators know.
 */
export function counterExposedAs<const L extends string>(
  type: 'gauge' | 'untyped',
  name: string,
  spec: MetricSpec<L>,
): Metric<L> & { readonly countsUp: true } {
  return { ...declare(name, type, spec), countsUp: true };
}

/** Whether a value that went down between two samples means a reset. */
export function countsUp(metric: Metric): boolean {
  return metric.type === 'counter' || ('countsUp' in metric && metric.countsUp === true);
}

/** What pages of metrics and the servers that read them call a metric. */
export interface Exposed {
  readonly name: string;
  readonly unit: MetricUnit;
  /** How many of the metric's own units are one of these. */
  readonly per: number;
  /** The label whose values are nanoseconds in the metric, and seconds on pages. */
  readonly timeLabel?: string;
}

/**
 * Times of our own are kept, judged and reported in nanoseconds, and stand on pages in seconds, the base unit of Prometheus, under
 * a name that says so. Names that others gave stay as they are.
 */
export function exposedAs({
  name,
  unit,
  inSeconds,
  timeLabel,
}: Pick<Metric, 'name' | 'unit' | 'inSeconds' | 'timeLabel'>): Exposed {
  if (timeLabel !== undefined) return { name: inSeconds ?? name, unit, per: 1, timeLabel };
  if (unit !== 'nanoseconds' || !name.startsWith('pktcost_')) return { name, unit, per: 1 };
  return { name: inSeconds ?? name.replace('nanoseconds', 'seconds'), unit: 'seconds', per: 1e9 };
}

/**
 * A family whose members are named by the host (netstat fields, meminfo fields): one declaration, members made on
 * demand, each member the same object every time it is asked for.
 */
export interface Family<L extends string = string> {
  readonly prefix: string;
  readonly collector: string;
  member(suffix: string): Metric<L>;
}

export function family<const L extends string>(prefix: string, make: (suffix: string) => Metric<L>): Family<L> {
  const members = new Map<string, Metric<L>>();
  const member = (suffix: string): Metric<L> => {
    let metric = members.get(suffix);
    if (metric === undefined) members.set(suffix, (metric = make(suffix)));
    return metric;
  };
  return { prefix, collector: make('').collector, member };
}
