/* Made from schema/report.v1.json by `npm run generate`: do not edit. */

/**
 * measured: the mechanism itself was measured; correlated: its signals moved together in this window; possible: the conditions for it are there. null where nothing is concluded.
 */
export type Certainty = 'measured' | 'correlated' | 'possible' | null;
/**
 * A cause makes packets expensive, an outcome is what users suffer from it, context helps to judge both.
 */
export type Role = 'cause' | 'outcome' | 'context';
/**
 * not-measured is never a pass: something the rule needs could not be read.
 */
export type Outcome = 'critical' | 'warning' | 'info' | 'ok' | 'not-measured' | 'not-applicable';

/**
 * What one run of pktcost found: the verdict, the findings with their evidence, and what could not be measured. Every field is always there, but for those that came with a later minor version; what is not known is null. Minor versions only add fields, and readers ignore fields they do not know. Strings that come from the host (names of processes, devices, namespaces) are given as they are: whoever prints them must escape them.
 */
export interface Report {
  /**
   * Version of this format, major.minor.
   */
  schemaVersion: string;
  tool: Tool;
  host: HostFacts;
  window: WindowFacts;
  verdict: Verdict;
  /**
   * One or more per rule: those that fired first, the principal one at the head, then info, not-measured, ok and not-applicable.
   */
  findings: ReportFinding[];
  /**
   * Every packet socket that was seen, those on the path of every packet first; of more than a thousand the first thousand.
   */
  taps: Tap[];
  /**
   * How many more packet sockets were seen than are listed; not there where all are.
   */
  tapsLeftOut?: number;
  cost: Cost;
  profile?: Profile;
  probe: Probe;
  selfCost: SelfCost;
  /**
   * What the rules lacked, one item per reason.
   */
  notMeasured: NotMeasured[];
  /**
   * How each collector fared, once per network namespace looked into.
   */
  collectors: CollectorStatus[];
  /**
   * Thresholds that the configuration changed; empty when the defaults were in force.
   */
  thresholds: ChangedThreshold[];
  /**
   * Name of the report given with --baseline.
   */
  baseline: string | null;
  ledger?: Ledger;
}
/**
 * What made this report.
 */
export interface Tool {
  /**
   * Always pktcost.
   */
  name: 'pktcost';
  /**
   * Version of pktcost.
   */
  version: string;
}
/**
 * The host the samples were taken on.
 */
export interface HostFacts {
  /**
   * Node name of the host.
   */
  hostname: string | null;
  /**
   * Kernel release, as uname -r.
   */
  kernel: string | null;
  /**
   * Kernel version, as uname -v.
   */
  kernelBuild: string | null;
  /**
   * Hardware name, as uname -m.
   */
  machine: string | null;
  /**
   * CPUs online at the end of the window.
   */
  cpus: number | null;
  /**
   * NUMA nodes that have CPUs.
   */
  numaNodes: number | null;
  /**
   * When the host booted, ISO 8601.
   */
  bootedAt: string | null;
  /**
   * Properties of this kernel that change what a counter means, by name.
   */
  features: {
    [k: string]: boolean;
  };
  /**
   * Whether pktcost ran there as root; null where that is not known, as in copies and on exporters.
   */
  asRoot?: boolean | null;
}
/**
 * The time between the two samples.
 */
export interface WindowFacts {
  /**
   * Length asked for.
   */
  requestedSeconds: number;
  /**
   * Length between the two samples by the monotonic clock; 0 with one sample.
   */
  seconds: number;
  /**
   * Wall-clock time of the first sample, ISO 8601.
   */
  startedAt: string;
  /**
   * Wall-clock time of the second sample, ISO 8601.
   */
  endedAt: string;
  /**
   * A signal ended the window before its time.
   */
  cutShort: boolean;
  /**
   * 1 when there was one sample only, as in a sosreport: no rate can be told.
   */
  samples: 1 | 2;
}
/**
 * The answer: the findings joined, and the one that matters most.
 */
export interface Verdict {
  /**
   * ok only when every rule about causes and outcomes could be judged everywhere; not-measured when nothing was found but some could not.
   */
  outcome: 'critical' | 'warning' | 'ok' | 'not-measured';
  /**
   * One sentence: what it is, what it costs, who owns it, what to do.
   */
  headline: string;
  /**
   * What the headline says of the principal finding, for programs; null where there is none.
   */
  answer?: Answer | null;
  /**
   * Code of the finding that matters most; it is then the first of findings. Never context.
   */
  principal: string | null;
  certainty: Certainty;
  /**
   * The causes that fired, the one that matters most first.
   */
  causes: Cause[];
}
/**
 * What the headline says of the principal finding.
 */
export interface Answer {
  /**
   * What is wrong, without the place: that is in the first of findings.
   */
  title: string;
  /**
   * What it loses, packets or connections per second; null where that is not known.
   */
  lostPerSecond: number | null;
  /**
   * Share of all CPU time that it costs, as a ratio; null where that is not known.
   */
  cpuShare: number | null;
  /**
   * Whose it is; null where no process is known.
   */
  process: string | null;
  /**
   * Codes of the outcomes at the same place.
   */
  samePlace: string[];
  /**
   * What to do first.
   */
  action: string | null;
  /**
   * What to type for that.
   */
  command: string | null;
}
/**
 * A cause, with the outcomes of the same process or on the same CPU that is short of time.
 */
export interface Cause {
  /**
   * Its place in findings, from 0.
   */
  finding: number;
  /**
   * Code of the rule.
   */
  code: string;
  certainty: Certainty;
  /**
   * The finding's summary.
   */
  summary: string;
  /**
   * Outcomes at the same place; empty when none could be linked.
   */
  leadsTo: Consequence[];
}
/**
 * An outcome linked with a cause.
 */
export interface Consequence {
  /**
   * Its place in findings, from 0.
   */
  finding: number;
  /**
   * Code of the rule.
   */
  code: string;
  /**
   * The finding's summary.
   */
  summary: string;
  shared: Place;
}
/**
 * Where a finding sits.
 */
export interface Place {
  /**
   * Network namespace; an empty string is the one pktcost ran in, null is the whole host.
   */
  netns: string | null;
  /**
   * Network device.
   */
  device: string | null;
  /**
   * CPUs; empty when not tied to any.
   */
  cpus: string[];
  /**
   * Ids of the processes it is about; empty when it is about none.
   */
  pids?: string[];
}
/**
 * What one rule concluded for one instance of its scope, or for several that said the same.
 */
export interface ReportFinding {
  /**
   * Stable code of the rule, never reused.
   */
  code: string;
  /**
   * Name of the rule.
   */
  rule: string;
  role: Role;
  outcome: Outcome;
  certainty: Certainty;
  /**
   * What the rule is about, as a statement.
   */
  title: string;
  /**
   * What was found, with its figures.
   */
  summary: string;
  /**
   * Code of the message behind summary; null when there was nothing to say.
   */
  message: string | null;
  /**
   * The figures and names in summary.
   */
  args: {
    [k: string]: string | number;
  };
  /**
   * What those of args that are words were made from, by the same name: lists, figures, names.
   */
  data?: {
    [k: string]: unknown;
  };
  at: Labels;
  /**
   * How many instances this finding stands for.
   */
  instances: number;
  place: Place;
  impact: Impact;
  /**
   * The readings that prove it.
   */
  evidence: EvidenceLine[];
  /**
   * Advice, computed from the readings; pktcost never carries it out.
   */
  remedies: Remedy[];
  /**
   * What could not be read, and why.
   */
  missing: MissingReading[];
  /**
   * Page about the rule, in the package.
   */
  docs: string;
}
/**
 * The instance: namespace, device, CPU or node.
 */
export interface Labels {
  [k: string]: string;
}
/**
 * What it costs, for ranking.
 */
export interface Impact {
  /**
   * Share of all the host's CPU time, 0 to 1.
   */
  cpuShare: number | null;
  /**
   * Packets, datagrams or connection attempts lost per second.
   */
  lostPerSecond: number | null;
  /**
   * What that counts, each kind for itself; left out where nothing is lost.
   */
  lost?: LostThings[];
}
/**
 * One kind of what is lost.
 */
export interface LostThings {
  /**
   * What is counted, in the plural: packets, frames, datagrams, segments, connections, connection attempts.
   */
  things: string;
  /**
   * How many of them are lost per second.
   */
  perSecond: number;
}
/**
 * One line of proof.
 */
export interface EvidenceLine {
  /**
   * Name of the signal in the rule.
   */
  signal: string;
  /**
   * Metric that gives the signal its meaning, under node_exporter's name where it has one.
   */
  metric: string;
  /**
   * Metrics that it is divided by, where value is a quotient; empty where it is not.
   */
  over?: string[];
  labels: Labels1;
  /**
   * Reading at the start of the window; null when the value is made of several readings.
   */
  before: number | null;
  /**
   * Reading at the end of the window.
   */
  after: number | null;
  /**
   * What follows from the readings and was judged.
   */
  value: number;
  /**
   * Unit of value.
   */
  unit: string;
  /**
   * What value was compared with; null for a reading shown without a limit.
   */
  threshold: number | null;
  /**
   * How value was compared with threshold.
   */
  comparison: '>' | '>=' | '<' | '<=' | '==' | null;
  /**
   * File or kernel answer it was read from.
   */
  source: string;
  /**
   * The same question for Prometheus.
   */
  promql: string;
}
/**
 * Label names and values as in Prometheus. No netns label means the namespace pktcost ran in.
 */
export interface Labels1 {
  [k: string]: string;
}
/**
 * One piece of advice.
 */
export interface Remedy {
  /**
   * What it does.
   */
  action: string;
  /**
   * What to type.
   */
  command: string | null;
  /**
   * What to type to see that it worked.
   */
  verify: string | null;
  /**
   * What to type to take it back: the value that was read before; null when command changes nothing.
   */
  undo?: string | null;
  /**
   * What to type to keep it after a restart of the host or of the service.
   */
  lasts?: string | null;
}
/**
 * A reading a rule needed and did not get.
 */
export interface MissingReading {
  /**
   * Metric that is missing.
   */
  metric: string;
  /**
   * File or kernel answer it would have come from.
   */
  source: string;
  /**
   * Why it is missing.
   */
  reason: string;
}
/**
 * A packet socket (AF_PACKET).
 */
export interface Tap {
  /**
   * Network namespace; an empty string is the one pktcost ran in.
   */
  netns: string;
  /**
   * Device it is bound to; any when it is bound to none.
   */
  device: string;
  /**
   * Ethertype in hexadecimal: 0003 is ETH_P_ALL, 0000 receives nothing.
   */
  protocol: string;
  /**
   * Socket type: raw, dgram or packet.
   */
  type: string | null;
  /**
   * Receive function its running hook calls; none when nothing is hooked.
   */
  hook: string;
  /**
   * Inode of the socket, as in /proc/PID/fd.
   */
  inode: string;
  /**
   * Processes that hold the socket, several after a fork; empty when they could not be seen.
   */
  owners: Owner[];
  /**
   * Its filter; null when that could not be read.
   */
  filter: string | null;
  /**
   * Its receive ring; null when that could not be read.
   */
  ring: string | null;
  /**
   * Its fanout group; null when that could not be read.
   */
  fanout: string | null;
  /**
   * User that made the socket.
   */
  uid: number | null;
  /**
   * Whether it asked for promiscuous mode.
   */
  promiscuous: boolean | null;
  /**
   * Packets the socket had no room for in the window, as PKT0709 counts them. null where that was not read: of a ring the probe tells.
   */
  drops: number | null;
  /**
   * Seconds in which they were counted, between the two readings; null where nothing was read.
   */
  dropsSeconds?: number | null;
  /**
   * Whether the packets of the device pay for it: a running ETH_P_ALL hook, or, since 1.1, one for the ethertype of most of them.
   */
  onHotPath: boolean;
  /**
   * Its price per packet, on the device where it is highest; of a socket in a fanout group that of the group, which gives each packet to one of its sockets.
   */
  nsPerPacket: number | null;
  /**
   * measured: timed for this socket; estimated: its share of what all taps of the device cost.
   */
  priceCertainty: string | null;
  /**
   * Its price on each device, highest first.
   */
  prices: TapPrice[];
  /**
   * Why a tap has no price per received packet; null where it has one, for other sockets, and where none was asked for.
   */
  notPriced?: string | null;
  /**
   * The same per packet that the device sends, which the sender pays; empty where that was not measured.
   */
  sentPrices?: TapPrice[];
  bill?: CaptureBill;
}
/**
 * A process.
 */
export interface Owner {
  /**
   * Process id.
   */
  pid: number;
  /**
   * Its name as the kernel keeps it; the process itself chooses it.
   */
  comm: string;
}
/**
 * The price of a tap on one device.
 */
export interface TapPrice {
  /**
   * Device.
   */
  device: string;
  /**
   * Nanoseconds per packet.
   */
  nsPerPacket: number;
  /**
   * measured or estimated.
   */
  certainty: string;
  /**
   * Of an estimate that the profile made: within plus or minus so many nanoseconds, 95 times in 100; null for the others.
   */
  errorNs?: number | null;
}
/**
 * What it costs in all.
 */
export interface CaptureBill {
  /**
   * In the path of received packets; null where that was not measured. Of the time in which the taps were there: where they came or went in the window, of that part of it, as `cpu` of PKT0101. The sockets of a fanout group share what the group takes.
   */
  receiveCpu: number | null;
  /**
   * In the path of sent packets, of the same time; null where that was not measured.
   */
  transmitCpu: number | null;
  /**
   * User time of the processes that hold it, whatever they do; null where they could not be seen.
   */
  readerUserCpu: number | null;
  /**
   * Their time in the kernel, likewise.
   */
  readerSystemCpu: number | null;
  /**
   * Memory of its ring; null without a ring, or where that could not be read.
   */
  ringBytes: number | null;
  /**
   * Processes that pay for taps on what they send, by the profile, for all taps of the host together; empty where it met none.
   */
  payers: CapturePayer[];
}
/**
 * A process that pays for taps on what it sends. Since 1.1.
 */
export interface CapturePayer {
  /**
   * Its id.
   */
  pid: number;
  /**
   * Its name.
   */
  comm: string;
  /**
   * Of the samples that met such taps.
   */
  share: number;
}
/**
 * What a packet costs the kernel.
 */
export interface Cost {
  host: HostCost;
  /**
   * Devices that received or lost anything in the window, busiest first; of more than a thousand those that lost most, those that were timed, and the busiest.
   */
  devices: DeviceCost[];
  /**
   * How many more devices received or lost anything than are listed; not there where all are.
   */
  devicesLeftOut?: number;
  leftOutLost?: LeftOutLost;
  /**
   * Every CPU that was online throughout.
   */
  cpus: CpuCost[];
}
/**
 * The host as a whole.
 */
export interface HostCost {
  /**
   * Passes into the stack (softnet processed): skbs after GRO, once more for each VLAN, bond or bridge hop.
   */
  packets: number | null;
  /**
   * The same per second.
   */
  packetsPerSecond: number | null;
  /**
   * Frames received by the devices at the bottom (physical, veth, tun, loopback), before GRO.
   */
  wirePackets: number | null;
  /**
   * wirePackets / packets: how many frames one pass into the stack carries.
   */
  groRatio: number | null;
  /**
   * Time all CPUs spent in softirq, timers and the like included.
   */
  softirqSeconds: number | null;
  /**
   * CPU time of NAPI threads, of NICs and of backlogs, which is not softirq time.
   */
  napiSeconds: number | null;
  /**
   * Softirq and NAPI thread time as a share of all CPU time.
   */
  softirqShare: number | null;
  /**
   * The same with interrupts in it: what PKT0102 gives of each CPU, of all of them.
   */
  interruptShare?: number | null;
  /**
   * Softirq and NAPI thread time per pass into the stack: an upper bound, since other softirqs are in it.
   */
  nsPerPacket: number | null;
  /**
   * The same per frame received.
   */
  nsPerWirePacket: number | null;
  /**
   * Time in the NET_RX softirq per pass into the stack, exact; from the probe.
   */
  netRxNsPerPacket: number | null;
  /**
   * What nsPerPacket is made of; shares add up to 1. Empty without the probe.
   */
  breakdown: CostPart[];
  /**
   * Why a figure above is null.
   */
  reason: string | null;
}
/**
 * A part of the cost of a packet.
 */
export interface CostPart {
  /**
   * driver-gro: NET_RX before packets enter the stack and after it returns (driver, building skbs, GRO, backlog, the softirq loop), absent where it was not told apart; tracing: programs and probes of others by the profile, absent where there are none (since 1.1); taps: ETH_P_ALL hooks above the measured floor; net-rx-rest: the rest of NET_RX, that is protocols and sockets, and the driver where that is not a part of its own; unexplained: accounted time outside NET_RX.
   */
  part: 'driver-gro' | 'tracing' | 'taps' | 'net-rx-rest' | 'unexplained';
  /**
   * Nanoseconds per pass into the stack.
   */
  ns: number;
  /**
   * Share of the whole.
   */
  share: number;
  /**
   * What net-rx-rest is made of, by the profile; empty for the other parts and without a profile.
   */
  parts?: PartOfRest[];
}
/**
 * A part of the rest of NET_RX.
 */
export interface PartOfRest {
  /**
   * As in profile.
   */
  part: string;
  /**
   * Nanoseconds per pass into the stack.
   */
  ns: number;
  /**
   * Share of the whole packet.
   */
  share: number;
}
/**
 * One network device.
 */
export interface DeviceCost {
  /**
   * Network namespace; an empty string is the one pktcost ran in.
   */
  netns: string;
  /**
   * Name of the device.
   */
  device: string;
  /**
   * Its driver.
   */
  driver: string | null;
  /**
   * physical, veth, bridge, bond, vlan, tun, loopback or the like.
   */
  kind: string | null;
  /**
   * NUMA node of the device; null when it has none or the firmware did not say.
   */
  numaNode: number | null;
  /**
   * Frames received in the window.
   */
  packets: number;
  /**
   * The same per second.
   */
  packetsPerSecond: number;
  /**
   * Packets (skbs after GRO) of it that passed the probe in the window; null without the probe.
   */
  skbs: number | null;
  /**
   * Share of skbs by which that number may be wrong: the probe's program of the device rested at times, and what came meanwhile is estimated by the device's own counter. null where all were counted.
   */
  skbsError?: number | null;
  /**
   * packets / skbs: how many frames GRO puts into one pass into the stack. Null when too few came.
   */
  groRatio: number | null;
  /**
   * Bytes received in the window.
   */
  bytes: number | null;
  /**
   * rx_dropped and rx_missed_errors in the window.
   */
  dropped: number | null;
  /**
   * rx_missed_errors in the window: frames the NIC had no room for.
   */
  missed: number | null;
  /**
   * Frames that the card lost in the window, by the counter that PKT0501 goes by: the one that rose most, which may be one of the driver's own. null where none that was read tells.
   */
  cardLost?: number | null;
  /**
   * That counter: `rx_missed_errors`, `rx_fifo_errors`, `rx_dropped`, or a name of `ethtool -S`.
   */
  cardLostBy?: string | null;
  /**
   * Times of sampled packets; null when the probe was not on this device.
   */
  spans: Spans | null;
  /**
   * What a packet of this device costs, on the CPUs that received its packets; shares add up to 1. Empty without the probe.
   */
  breakdown: CostPart[];
  /**
   * Why spans is null.
   */
  reason: string | null;
}
/**
 * The spans of a packet's way that were timed.
 */
export interface Spans {
  /**
   * netif_receive_skb to TC ingress: ETH_P_ALL taps, and generic XDP if on.
   */
  taps: Span | null;
  /**
   * XDP to TC: with generic XDP about the taps; with native XDP also skb building, GRO hold and RPS wait, which are no CPU time.
   */
  stack: Span | null;
  /**
   * Reception to TC egress of another device, for packets that are passed on.
   */
  forward: Span | null;
}
/**
 * The distribution of one span's times.
 */
export interface Span {
  /**
   * How it was attached, such as native or generic; figures of different modes are not comparable.
   */
  mode: string;
  /**
   * Packets timed.
   */
  count: number;
  /**
   * Mean.
   */
  avgNs: number | null;
  /**
   * Median.
   */
  p50Ns: number | null;
  /**
   * 90th percentile.
   */
  p90Ns: number | null;
  /**
   * 99th percentile.
   */
  p99Ns: number | null;
  /**
   * 99.9th percentile.
   */
  p999Ns: number | null;
  /**
   * Shortest.
   */
  minNs: number | null;
  /**
   * Longest; one interrupt in the wrong place makes it.
   */
  maxNs: number | null;
  /**
   * maxNs - minNs.
   */
  jitterNs: number | null;
  /**
   * p99Ns - p50Ns: the jitter worth judging.
   */
  spreadNs: number | null;
  /**
   * Standard deviation.
   */
  stddevNs: number | null;
  /**
   * What the span costs with nothing in it, measuring included, at the same sampling.
   */
  floorNs: number | null;
  /**
   * How the floor was found.
   */
  floorMethod: string | null;
  /**
   * Samples begun and not counted.
   */
  lost: number;
  /**
   * The same by reason.
   */
  lostBy: {
    [k: string]: number;
  };
  /**
   * Samples by time, not cumulative.
   */
  histogram: Bucket[];
}
/**
 * One bar of a histogram.
 */
export interface Bucket {
  /**
   * Upper bound in nanoseconds; null for the last, which has none.
   */
  leNs: number | null;
  /**
   * Samples above the bound before and up to this one.
   */
  count: number;
}
/**
 * What the devices that are not listed lost, together; not there where all are.
 */
export interface LeftOutLost {
  /**
   * How many of them lost anything.
   */
  devices: number;
  /**
   * Frames that their cards lost.
   */
  cardLost: number;
  /**
   * Packets that they or what is above them dropped.
   */
  dropped: number;
}
/**
 * One CPU.
 */
export interface CpuCost {
  /**
   * Number of the CPU.
   */
  cpu: string;
  /**
   * NUMA node it belongs to.
   */
  numaNode: number | null;
  /**
   * What sets it apart: isolcpus, nohz_full or cpuset; empty for ordinary CPUs.
   */
  dedicatedBy: string[];
  /**
   * Time in softirq.
   */
  softirqSeconds: number | null;
  /**
   * The same as a share of the window.
   */
  softirqShare: number | null;
  /**
   * Share of the window in softirq, interrupts and NAPI threads that were last seen on this CPU: what PKT0102 judges.
   */
  interruptShare?: number | null;
  /**
   * Passes into the stack on this CPU.
   */
  packets: number | null;
  /**
   * The same per second.
   */
  packetsPerSecond: number | null;
  /**
   * Softirq time per pass; null with too few packets, or too few ticks of softirq time, to price one.
   */
  nsPerPacket: number | null;
  /**
   * Runs of the NET_RX softirq, each of up to 300 packets.
   */
  netRxRuns: number | null;
  /**
   * Runs of the NET_RX softirq that were timed; they stand for all.
   */
  netRxTimedRuns?: number | null;
  /**
   * Time in NET_RX per pass, exact; from the probe.
   */
  netRxNsPerPacket: number | null;
  /**
   * What a packet costs on this CPU; shares add up to 1. Empty without the probe.
   */
  breakdown: CostPart[];
  /**
   * Time that AF_PACKET taps took here in the window: what they take of a packet above the floor, on each watched device, times its packets on this CPU; null where no tap span has a floor.
   */
  tapSeconds: number | null;
  /**
   * What those taps take of this CPU, as a share of the time in which they were there: of the window, or where they came or went in it, of that part of it. So it is the share that PKT0101 gives, and taps of four seconds in ten may have a greater one than softirqShare, which is of the window.
   */
  tapShare: number | null;
  /**
   * Packets lost to a full backlog.
   */
  dropped: number | null;
  /**
   * Times net_rx_action stopped with work left.
   */
  squeezed: number | null;
}
/**
 * Samples of the packet path, taken by a clock on every CPU throughout the window.
 */
export interface Profile {
  /**
   * cpu-clock: a timer, which under-counts what runs with interrupts off; cycles: the CPU's counter.
   */
  clock: string | null;
  /**
   * Nanoseconds of one CPU that a sample stands for.
   */
  periodNs: number | null;
  /**
   * How long it sampled.
   */
  seconds: number | null;
  /**
   * CPUs that were sampled.
   */
  cpus: number | null;
  /**
   * Samples taken and not counted.
   */
  lost: number | null;
  /**
   * What the sampler's own program took, in all.
   */
  ownNs: number | null;
  /**
   * Why there is no profile, or null.
   */
  reason: string | null;
  /**
   * receive, transmit and socket; empty without a profile.
   */
  directions: ProfileDirection[];
  /**
   * Watched devices, most expensive first; those whose CPUs others' packets share are left out.
   */
  devices: ProfileDevice[];
}
/**
 * One direction of the packet path.
 */
export interface ProfileDirection {
  /**
   * receive: what NET_RX does, answers and forwarding included; transmit: from the hand-over to the device down, outside of NET_RX; socket: the rest of socket calls in the kernel.
   */
  direction: 'receive' | 'transmit' | 'socket';
  /**
   * Samples of it.
   */
  samples: number;
  /**
   * CPU-seconds per second.
   */
  cpuShare: number;
  /**
   * Passes into the stack, packets handed to devices, or both for socket calls.
   */
  packetsPerSecond: number | null;
  /**
   * What a packet costs in this direction; null where it cannot be told.
   */
  nsPerPacket: number | null;
  /**
   * Half the width of its 95 % interval.
   */
  nsError: number | null;
  /**
   * net_rx: the probe's time of NET_RX; samples: samples x period / packets.
   */
  ruler: string | null;
  /**
   * The same by the other ruler, where there are two.
   */
  otherNs: number | null;
  /**
   * The two rulers differ by more than their errors.
   */
  rulersDiffer: boolean;
  /**
   * Why there is no price, or null.
   */
  reason: string | null;
  /**
   * What it is made of, largest first; shares add up to 1.
   */
  parts: ProfilePart[];
  /**
   * By netfilter hook, largest first.
   */
  netfilter: ProfileHook[];
  /**
   * Processes that paid, largest first; empty for receive.
   */
  processes: ProfilePayer[];
  /**
   * BPF programs of others that were on the stack, largest first.
   */
  programs: ProfilePayer[];
  /**
   * Functions of the part other, busiest first.
   */
  other: ProfileStack[];
  /**
   * The stacks, largest first: what a flame graph is drawn from.
   */
  stacks: ProfileStack[];
}
/**
 * A part of what packets cost in one direction.
 */
export interface ProfilePart {
  /**
   * Its name: nftables, conntrack, tap-receive, driver-receive, copy, lock or the like; docs list them all.
   */
  part: string;
  /**
   * The same in words.
   */
  title: string;
  /**
   * Where to look for whom to ask: driver, kernel, packet-sockets, bpf-programs, netfilter, tc, virtual-device, tunnel, sockets, tracing, security or pktcost.
   */
  owner: string;
  /**
   * Samples with this part innermost.
   */
  samples: number;
  /**
   * Of the samples of the direction.
   */
  share: number;
  /**
   * Half the width of the 95 % interval of the share.
   */
  error: number;
  /**
   * Nanoseconds per packet; null where the direction has no price.
   */
  ns: number | null;
  /**
   * Half the width of its 95 % interval.
   */
  nsError: number | null;
}
/**
 * A netfilter hook and what was on it.
 */
export interface ProfileHook {
  /**
   * prerouting, input, forward, output, postrouting, ingress, egress, those of bridges and arp, or other.
   */
  hook: string;
  /**
   * nftables, iptables, ebtables, conntrack, nat or other.
   */
  engine: string;
  /**
   * Samples inside of it.
   */
  samples: number;
  /**
   * Of the samples of the direction.
   */
  share: number;
}
/**
 * A process that paid, or a BPF program that ran.
 */
export interface ProfilePayer {
  /**
   * pid, or id of the program.
   */
  id: string;
  /**
   * Its name.
   */
  name: string;
  /**
   * Samples of it.
   */
  samples: number;
  /**
   * Of the samples of the direction.
   */
  share: number;
}
/**
 * Samples that share a stack.
 */
export interface ProfileStack {
  /**
   * Functions joined by semicolons, from where the direction begins; rare stacks are cut to what they share with others.
   */
  stack: string;
  /**
   * Samples that ended there.
   */
  samples: number;
}
/**
 * A watched device, from tc ingress on.
 */
export interface ProfileDevice {
  /**
   * Network namespace; an empty string is the one pktcost ran in.
   */
  netns: string;
  /**
   * Name of the device.
   */
  device: string;
  /**
   * Samples while a packet of it was the last taken up.
   */
  samples: number;
  /**
   * Packets of it that passed the probe.
   */
  packetsPerSecond: number | null;
  /**
   * What its packets cost after tc ingress.
   */
  nsPerPacket: number | null;
  /**
   * Half the width of its 95 % interval.
   */
  nsError: number | null;
  /**
   * Why there is no price, or null.
   */
  reason: string | null;
  /**
   * What that is made of, largest first.
   */
  parts: ProfilePart[];
}
/**
 * The eBPF probe: what was attached, and what was not.
 */
export interface Probe {
  /**
   * attached: throughout the window; detached-early: it ended itself; off: not asked for; not-measured: it could not be attached.
   */
  status: 'attached' | 'detached-early' | 'off' | 'not-measured';
  /**
   * The best span that was running: none, net_rx, taps, sockets or stack.
   */
  tier: string;
  /**
   * Why it was not attached throughout; where it was, what else its readings contain: another session of pktcost.
   */
  reason: string | null;
  /**
   * What was decided for each device and span.
   */
  plan: ProbePlan[];
}
/**
 * Whether one span is timed on one device.
 */
export interface ProbePlan {
  /**
   * Network namespace; an empty string is the one pktcost ran in.
   */
  netns: string;
  /**
   * Device; empty for spans that belong to none.
   */
  device: string;
  /**
   * Its driver.
   */
  driver: string | null;
  /**
   * taps, stack, net_rx or sockets.
   */
  span: string;
  /**
   * How it attaches, such as native, generic or tcx.
   */
  mode: string | null;
  /**
   * Whether it is attached.
   */
  attach: boolean;
  /**
   * Why, or why not.
   */
  reason: string;
  /**
   * What attaching would do to the device.
   */
  price: string | null;
}
/**
 * What the run cost the host.
 */
export interface SelfCost {
  /**
   * CPU time of pktcost itself.
   */
  cpuSeconds: number | null;
  /**
   * Most memory pktcost held.
   */
  peakMemoryBytes: number | null;
  /**
   * Run time of the probe per packet (skb) of the window: run times measured before it, runs counted in it.
   */
  nsPerPacket: number | null;
  /**
   * Run time of the probe as a share of all CPU time in the window.
   */
  cpuShare: number | null;
  /**
   * Run time of the profile's samples as a share of all CPU time while it sampled.
   */
  profileCpuShare?: number | null;
  /**
   * What counting dropped packets took as a share of all CPU time in the window: packets counted, times an estimate.
   */
  dropsCpuShare?: number | null;
  /**
   * Runs of the probe's programs in the window.
   */
  runs: number | null;
  /**
   * Share of all CPU time the probe may use before it thins its sampling and then detaches.
   */
  budget: number | null;
  /**
   * What pktcost did to itself or to the host; empty when nothing was changed.
   */
  actions: SelfAction[];
}
/**
 * Something pktcost changed.
 */
export interface SelfAction {
  /**
   * When, from the start of the window.
   */
  seconds: number | null;
  /**
   * What was done.
   */
  action: string;
  /**
   * Why.
   */
  reason: string;
  /**
   * Whether it was put back and verified; null when there is nothing to put back.
   */
  restored: boolean | null;
}
/**
 * One reason why something was not measured.
 */
export interface NotMeasured {
  /**
   * The reason.
   */
  reason: string;
  /**
   * Files or kernel answers it is about.
   */
  sources: string[];
  /**
   * Codes of the rules that could not be judged for it.
   */
  rules: string[];
  /**
   * Metrics that are missing for it.
   */
  metrics: string[];
}
/**
 * How one collector fared in one namespace; the worse of the two samples.
 */
export interface CollectorStatus {
  /**
   * Name of the collector.
   */
  id: string;
  /**
   * Network namespace; an empty string is the one pktcost ran in.
   */
  netns: string;
  /**
   * partial: something could not be read; unavailable: nothing could; not-applicable: the subject does not exist on this host.
   */
  status: 'ok' | 'partial' | 'unavailable' | 'not-applicable';
  /**
   * Why it is not ok, or what it had to leave out; of the first gap.
   */
  reason: string | null;
  /**
   * The path that is about.
   */
  path: string | null;
  /**
   * How many different things it could not read.
   */
  gaps: number;
  /**
   * Time it took, both samples together.
   */
  milliseconds: number;
}
/**
 * A threshold the configuration changed.
 */
export interface ChangedThreshold {
  /**
   * Code of the rule.
   */
  code: string;
  /**
   * Name of the threshold.
   */
  name: string;
  /**
   * Value in force.
   */
  value: number;
  /**
   * Value without the configuration.
   */
  default: number | null;
  /**
   * Unit of both.
   */
  unit: string | null;
}
/**
 * Where packets were lost in the window: every drop that was counted, and the books of each network namespace. Absent in reports of before there were such.
 */
export interface Ledger {
  /**
   * The kernel's drops were counted by reason; if not, the rows are what counters tell.
   */
  counted: boolean;
  /**
   * Why they were not counted.
   */
  reason: string | null;
  /**
   * Packets the kernel freed as dropped, in all namespaces. Like all figures here of the whole window, at the pace of the time in which they were counted.
   */
  total: number;
  /**
   * Of these, the ones whose reason and place were looked at; each stands for those passed over before it.
   */
  lookedAt: number;
  /**
   * Of the total, what was dropped while the counter rested, as it does for most of a flood: estimated from what it counted before and after.
   */
  estimated?: number;
  /**
   * By so many the total may be wrong, nineteen times of twenty; 0 where none was estimated.
   */
  error?: number;
  /**
   * Counted, but under no reason, as the table was full.
   */
  noRoom: number;
  /**
   * In the worst flood one drop in so many was looked at; 1 when each was.
   */
  sampling: number;
  /**
   * One per reason and place, the largest first; of more than a thousand the first thousand.
   */
  rows: LedgerRow[];
  /**
   * How many more rows there were; not there where all are.
   */
  rowsLeftOut?: number;
  /**
   * What was lost in those, together; not there where there are none.
   */
  packetsLeftOut?: number;
  /**
   * One per network namespace that received frames.
   */
  books: LedgerBook[];
}
/**
 * Packets dropped for one reason at one place.
 */
export interface LedgerRow {
  /**
   * As the kernel calls it, or the counter that tells.
   */
  reason: string;
  /**
   * What it means, in words.
   */
  means: string;
  /**
   * The function that dropped, or the source of the counter; empty where it is not known.
   */
  place: string;
  /**
   * Device; empty where it is not known.
   */
  device: string;
  /**
   * Network namespace; empty for the one pktcost ran in, (elsewhere) for those not looked into.
   */
  netns: string;
  /**
   * Packets in the window.
   */
  packets: number;
  /**
   * Share of the frames that arrived at the device, or where none is named in the namespace: of those received, and with them of those that a card lost itself. Null where that is not known, and of more than arrived, as of copies.
   */
  share: number | null;
  /**
   * loss: somebody waits for the packet; policy: dropped on purpose; noise: nothing was lost; unclear: the kernel does not say.
   */
  kind: 'loss' | 'policy' | 'noise' | 'unclear';
  /**
   * Code of the rule that speaks about it.
   */
  rule: string | null;
}
/**
 * The books of one network namespace: framesIn is the sum of delivered, forwarded, lost, policy, noise, unclear and notAccounted.
 */
export interface LedgerBook {
  /**
   * Network namespace; empty for the one pktcost ran in.
   */
  netns: string;
  /**
   * Devices that received frames.
   */
  devices: string[];
  /**
   * Frames received by all of them.
   */
  framesIn: number;
  /**
   * Packets that IP handed to a protocol.
   */
  delivered: number;
  /**
   * Packets that IP sent on.
   */
  forwarded: number;
  /**
   * Lost before either.
   */
  lost: number;
  /**
   * Dropped on purpose before either.
   */
  policy: number;
  /**
   * Dropped before either without a loss.
   */
  noise: number;
  /**
   * Dropped before either for a reason that the kernel does not say.
   */
  unclear: number;
  /**
   * What is left: other protocols, frames that pass several devices, and what nobody counts; negative where more left than came.
   */
  notAccounted: number;
  /**
   * Dropped by their protocol or socket once delivered, or on the way out.
   */
  droppedAfter: number;
}
