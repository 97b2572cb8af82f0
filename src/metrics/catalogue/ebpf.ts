import { counter, gauge, type Metric } from '../metric.ts';

const ebpf = { collector: 'ebpf', source: 'probe' } as const;

const jitter = (name: string, help: string): Metric<'interface'> =>
  gauge(`node_ebpf_pmd_jitter_${name}`, { ...ebpf, labels: ['interface'], unit: 'nanoseconds', help });
export const jitterMin = jitter('latency_min_ns', 'Shortest XDP to TC time of a sampled packet in the window.');
export const jitterMax = jitter('latency_max_ns', 'Longest XDP to TC time of a sampled packet in the window.');
export const jitterAvg = jitter('latency_avg_ns', 'Mean XDP to TC time of the sampled packets in the window.');
export const jitterSpread = jitter('pmd_jitter_ns', 'latency_max_ns - latency_min_ns.');
export const jitterHistogram = gauge('node_ebpf_pmd_jitter_latency_histogram', {
  ...ebpf,
  labels: ['bucket'],
  unit: 'packets',
  help: 'Sampled packets by XDP to TC time, 16 buckets, not cumulative, all devices together.',
});
export const jitterPackets = gauge('node_ebpf_pmd_jitter_global_packets_total', {
  ...ebpf,
  labels: [],
  unit: 'packets',
  help: 'Packets whose XDP to TC time was measured, all devices together.',
});
export const jitterNanoseconds = gauge('node_ebpf_pmd_jitter_global_latency_ns_total', {
  ...ebpf,
  labels: [],
  unit: 'nanoseconds',
  help: 'Sum of the measured XDP to TC times.',
});
export const jitterUp = gauge('node_ebpf_pmd_jitter_collector_up', {
  ...ebpf,
  labels: [],
  unit: 'none',
  help: '1 only when the XDP to TC span is attached and counting.',
});
export const jitterObjectPath = gauge('node_ebpf_pmd_jitter_object_path_configured', {
  ...ebpf,
  labels: [],
  unit: 'none',
  help: '1 when the compiled BPF objects that the probe loads are there, loaded or not.',
});
export const jitterLoadError = gauge('node_ebpf_pmd_jitter_load_error', {
  ...ebpf,
  labels: ['error'],
  unit: 'none',
  sparse: true,
  help: '1 when loading or attaching was tried and failed, with the reason; absent where nobody tried.',
});

const spanLabels = ['device', 'span', 'mode'] as const;
const span = { ...ebpf, labels: spanLabels, perNetns: true } as const;
export const spanSamples = counter('pktcost_span_samples_total', {
  ...span,
  unit: 'packets',
  help: 'Packets whose time through the span was measured (1 in N).',
});
export const spanNanoseconds = counter('pktcost_span_nanoseconds_total', {
  ...span,
  unit: 'nanoseconds',
  help: 'Sum of the measured times through the span.',
});
export const spanQuantile = gauge('pktcost_span_quantile_nanoseconds', {
  ...span,
  labels: [...spanLabels, 'quantile'],
  unit: 'nanoseconds',
  help: 'Quantile of the time through the span over the window; 0 and 1 are the extremes. Error at most 6 %.',
});
export const spanStddev = gauge('pktcost_span_stddev_nanoseconds', {
  ...span,
  unit: 'nanoseconds',
  help: 'Standard deviation of the time through the span over the window.',
});
export const spanBucket = gauge('pktcost_span_bucket', {
  ...span,
  labels: [...spanLabels, 'le'],
  unit: 'packets',
  inSeconds: 'pktcost_span_seconds_bucket',
  timeLabel: 'le',
  help: 'Cumulative histogram over the window: samples whose time was at most `le`, nanoseconds in reports and seconds on pages.',
});
const tapped = { ...ebpf, labels: ['device'], perNetns: true } as const;
export const tappedSeconds = gauge('pktcost_tapped_seconds', {
  ...tapped,
  labels: ['device', 'lasts'],
  unit: 'seconds',
  help: 'Of a device whose ETH_P_ALL hooks came or went in the window: how long those that are priced were there; lasts is 1 when they still were at its end.',
});
export const tappedSamples = gauge('pktcost_tapped_samples', {
  ...tapped,
  unit: 'packets',
  help: 'Packets of that time whose way through the span taps was measured (1 in N).',
});
export const tappedNanoseconds = gauge('pktcost_tapped_nanoseconds', {
  ...tapped,
  inSeconds: 'pktcost_tapped_span_seconds',
  unit: 'nanoseconds',
  help: 'Sum of the times measured in that time.',
});
export const tappedMedian = gauge('pktcost_tapped_median_nanoseconds', {
  ...tapped,
  unit: 'nanoseconds',
  help: 'Median of the times measured in that time.',
});
export const tappedStddev = gauge('pktcost_tapped_stddev_nanoseconds', {
  ...tapped,
  unit: 'nanoseconds',
  help: 'Standard deviation of the times measured in that time.',
});
export const tappedPackets = gauge('pktcost_tapped_packets', {
  ...tapped,
  unit: 'packets',
  help: 'Packets of that time, sampled or not: skbs, that is after GRO.',
});
export const spanFloor = gauge('pktcost_span_floor_nanoseconds', {
  ...span,
  labels: [...spanLabels, 'method'],
  unit: 'nanoseconds',
  help: 'What the span costs with nothing in it, measurement included, at the same sampling.',
});
export const spanLost = counter('pktcost_span_lost_total', {
  ...span,
  labels: [...spanLabels, 'reason'],
  unit: 'packets',
  help: 'Samples begun and not counted, by reason.',
});
export const spanStamped = counter('pktcost_span_stamped_total', {
  ...span,
  unit: 'packets',
  sparse: true,
  help: 'Packets that XDP was to stamp. What is neither measured nor lost of them never came to TC, or without its stamp.',
});
export const spanPackets = counter('pktcost_span_packets_total', {
  ...ebpf,
  labels: ['device'],
  perNetns: true,
  unit: 'packets',
  help: 'Packets (skbs after GRO) that reached TC ingress of the device while the probe was attached, sampled or not; those of times in which its program rested by estimate.',
});
export const spanPacketsError = gauge('pktcost_span_packets_error', {
  ...ebpf,
  labels: ['device'],
  perNetns: true,
  sparse: true,
  unit: 'packets',
  help: 'By how many of the window that number may be wrong, where the program of the device rested: nineteen times of twenty it is less.',
});
export const spanUnmarked = gauge('pktcost_span_unmarked_ratio', {
  ...ebpf,
  labels: ['device'],
  perNetns: true,
  unit: 'ratio',
  help: 'Of the packets of the window those whose samples the profile has under no device, since programs of several devices rested.',
});
export const spanCpuPackets = counter('pktcost_span_cpu_packets_total', {
  ...ebpf,
  labels: ['device', 'cpu'],
  perNetns: true,
  sparse: true,
  unit: 'packets',
  help: 'The same by the CPU that received them: where the taps of the device are paid.',
});
export const spanEvery = gauge('pktcost_span_sampling', {
  ...ebpf,
  labels: [],
  unit: 'packets',
  help: 'One packet in this many is measured.',
});
export const netRxNanoseconds = counter('pktcost_net_rx_nanoseconds_total', {
  ...ebpf,
  labels: ['cpu'],
  unit: 'nanoseconds',
  help: 'Time between entry to and exit from the NET_RX softirq in the window; one run in some is timed and stands for the others.',
});
export const netRxDriverNanoseconds = counter('pktcost_net_rx_driver_nanoseconds_total', {
  ...ebpf,
  labels: ['cpu'],
  unit: 'nanoseconds',
  help: 'The part of that time before packets enter the stack and after it has returned: driver, GRO, backlog, the softirq loop; some runs stand for all.',
});
export const netRxRuns = counter('pktcost_net_rx_runs_total', {
  ...ebpf,
  labels: ['cpu'],
  unit: 'calls',
  help: 'Runs of the NET_RX softirq in the window.',
});
export const netRxTimedRuns = counter('pktcost_net_rx_timed_runs_total', {
  ...ebpf,
  labels: ['cpu'],
  unit: 'calls',
  help: 'Runs of the NET_RX softirq in the window that were timed: fewer of them where that costs too much.',
});
export const netRxPackets = counter('pktcost_net_rx_packets_total', {
  ...ebpf,
  labels: ['cpu'],
  unit: 'packets',
  help: 'Packets (skbs after GRO) that those runs handled in the window, scaled like the time.',
});
const sent = { ...ebpf, labels: ['device', 'way'], perNetns: true, sparse: true } as const;
export const sentSamples = gauge('pktcost_transmit_samples', {
  ...sent,
  unit: 'packets',
  help: 'Sent packets whose time up to the end of the taps on transmit was measured (1 in N), by how they came there: direct, dequeued, or behind another of the same list (follows).',
});
export const sentMedian = gauge('pktcost_transmit_median_nanoseconds', {
  ...sent,
  unit: 'nanoseconds',
  help: 'Median of that time in the window, or while the taps that are priced were there.',
});
export const sentFloor = gauge('pktcost_transmit_floor_nanoseconds', {
  ...sent,
  labels: ['device', 'way', 'method'],
  unit: 'nanoseconds',
  help: 'What the same takes with no tap in it, measurement included.',
});
export const sentPackets = gauge('pktcost_transmit_packets', {
  ...ebpf,
  labels: ['device'],
  perNetns: true,
  sparse: true,
  unit: 'packets',
  help: 'Packets that the device sent past the place of the taps in as many seconds as sent packets were timed, from the samples of the whole window: skbs, that is before TSO.',
});
export const sentSeconds = gauge('pktcost_transmit_seconds', {
  ...ebpf,
  labels: [],
  unit: 'seconds',
  sparse: true,
  help: 'For how long sent packets were timed.',
});
const tappedSending = { ...ebpf, labels: ['device'], perNetns: true, sparse: true } as const;
export const tappedSentPackets = gauge('pktcost_tapped_transmit_packets', {
  ...tappedSending,
  unit: 'packets',
  help: 'Of a device whose ETH_P_ALL hooks came or went in the window: packets that it sent past those that are priced, from the samples.',
});
export const tappedSentSeconds = gauge('pktcost_tapped_transmit_seconds', {
  ...tappedSending,
  unit: 'seconds',
  help: 'For how long sent packets were timed while those hooks were there.',
});
export const sentTapNanoseconds = gauge('pktcost_tap_nanoseconds_per_sent_packet', {
  ...ebpf,
  labels: ['inode', 'device', 'certainty'],
  unit: 'nanoseconds',
  perNetns: true,
  sparse: true,
  help: 'Price of one packet socket per sent packet that it sees, where the kernel permits to time each socket.',
});
export const tapNanoseconds = gauge('pktcost_tap_nanoseconds_per_packet', {
  ...ebpf,
  labels: ['inode', 'device', 'certainty'],
  unit: 'nanoseconds',
  perNetns: true,
  help: 'Price of one packet socket per received packet that it sees, where the kernel permits to time each socket.',
});
