import type { Report } from '../../src/generated/report.ts';
import * as metrics from '../../src/metrics/catalogue/index.ts';
import { buildReport, type ReportInput } from '../../src/report/build/index.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import type { Finding } from '../../src/rules/finding.ts';
import { conntrackTableFull } from '../../src/rules/conntrack-table-full.ts';
import { windowOf, type Cell, type WindowSpec } from '../support/window.ts';

/** A finding as the engine gives it, made by hand: the reports must not change with the words of a rule. */
export function finding(said: Partial<Finding> & Pick<Finding, 'code' | 'rule' | 'outcome'>): Finding {
  return {
    role: 'outcome',
    certainty: said.outcome === 'critical' || said.outcome === 'warning' ? 'measured' : null,
    title: said.rule,
    message: '',
    words: '',
    args: {},
    at: {},
    instances: 1,
    place: {},
    impact: {},
    evidence: [],
    remedies: [],
    missing: [],
    ...said,
  };
}

export const attached: NonNullable<ReportInput['probe']> = {
  status: 'attached',
  tier: 'taps',
  reason: null,
  plan: [
    {
      netns: '',
      device: 'eth0',
      driver: 'virtio_net',
      span: 'taps',
      mode: 'tcx',
      attach: true,
      reason: 'costs the device nothing',
      price: null,
    },
  ],
};

/** The report of a window made by hand. */
export function reportOf(spec: WindowSpec, findings: readonly Finding[], input: Partial<ReportInput> = {}): Report {
  return buildReport({
    window: windowOf(spec),
    findings,
    version: '0.1.0',
    requestedSeconds: 10,
    cutShort: false,
    self: { cpuSeconds: 0.12, peakMemoryBytes: 61 * 2 ** 20 },
    ...input,
  });
}

const identity: Cell[] = [
  [
    metrics.unameInfo,
    {
      sysname: 'Linux',
      release: '6.12.107',
      version: '#1 SMP PREEMPT_DYNAMIC',
      machine: 'x86_64',
      nodename: 'web-1',
      domainname: '(none)',
    },
    1,
    1,
  ],
  [metrics.bootTime, {}, 1_760_000_000, 1_760_000_000],
  [metrics.kernelFeature, { feature: 'btf' }, 1, 1],
];

/** Two CPUs, of which the second does the receive work, and one NIC. */
export function host({ packets = 400, frames = 400, softirq = 0.02 } = {}): Cell[] {
  return [
    ...identity,
    [metrics.cpuSeconds, { cpu: '0', mode: 'softirq' }, 10, 10.01],
    [metrics.cpuSeconds, { cpu: '1', mode: 'softirq' }, 20, 20 + softirq],
    [metrics.cpuNode, { cpu: '0', node: '0' }, 1, 1],
    [metrics.cpuNode, { cpu: '1', node: '0' }, 1, 1],
    [metrics.softnetProcessed, { cpu: '0' }, 1000, 1010],
    [metrics.softnetProcessed, { cpu: '1' }, 0xfffffff0, (0xfffffff0 + packets) % 2 ** 32],
    [metrics.softnetDropped, { cpu: '0' }, 0, 0],
    [metrics.softnetDropped, { cpu: '1' }, 5, 5],
    [metrics.softnetSqueezed, { cpu: '0' }, 0, 0],
    [metrics.softnetSqueezed, { cpu: '1' }, 2, 3],
    [metrics.softirqFunctions, { cpu: '1', type: 'NET_RX' }, 100, 900],
    [metrics.receivePackets, { device: 'eth0' }, 5000, 5000 + frames],
    [metrics.receivePackets, { device: 'br0' }, 700, 700 + packets],
    [metrics.receiveBytes, { device: 'eth0' }, 1, 1 + frames * 1000],
    [metrics.receiveDrop, { device: 'eth0' }, 0, 0],
    [metrics.receiveMissed, { device: 'eth0' }, 0, 0],
    [metrics.deviceNumaNode, { device: 'eth0' }, -1, -1],
    [
      metrics.deviceInfo,
      { device: 'eth0', ifindex: '2', driver: 'virtio_net', kind: 'physical', pci: '0000:00:03.0', master: 'br0' },
      1,
      1,
    ],
    [metrics.deviceInfo, { device: 'br0', ifindex: '3', driver: 'bridge', kind: 'bridge', pci: '', master: '' }, 1, 1],
  ];
}

/** Programs leave the second CPU next to no time. */
const busy: Cell = [metrics.cpuSeconds, { cpu: '1', mode: 'idle' }, 50, 50.4];

const socket = (inode: string, labels: Record<string, string>): Cell => [
  metrics.packetSocket,
  {
    inode,
    device: 'eth0',
    ifindex: '2',
    protocol: '0003',
    type: 'raw',
    hook: 'tpacket_rcv',
    filter: 'matches all',
    ring: 'v3 8x262144',
    fanout: 'none',
    uid: '0',
    promiscuous: '1',
    ...labels,
  },
  1,
  1,
];
const owner = (inode: string, pid: string, comm: string): Cell => [metrics.socketOwner, { inode, pid, comm }, 1, 1];

/** A tcpdump, a DHCP client bound to one ethertype, and a socket that only sends. */
export const sockets: Cell[] = [
  socket('9001', { uid: '102', device: 'eth0', protocol: '0800', hook: 'packet_rcv', ring: 'none', promiscuous: '0' }),
  socket('9002', { device: 'any', protocol: '0000', hook: 'none', ring: 'none', filter: 'none or eBPF' }),
  socket('9003', {}),
  owner('9001', '412', 'dhclient'),
  owner('9003', '4243', 'tcpdump'),
  owner('9003', '4242', 'tcpdump'),
  [metrics.tapNanoseconds, { inode: '9003', device: 'eth0', certainty: 'estimated' }, 900, 900],
];

const span = { device: 'eth0', span: 'taps', mode: 'tracepoint' };
const bucket = (le: string, count: number): Cell => [metrics.spanBucket, { ...span, le }, 0, count];
const quantile = (at: string, ns: number): Cell => [metrics.spanQuantile, { ...span, quantile: at }, ns, ns];

/** What the probe adds: 1.1 µs in the tap span over a floor of 200 ns, 2 µs of NET_RX to a packet. */
export const spans: Cell[] = [
  [metrics.spanSamples, span, 0, 1000],
  [metrics.spanNanoseconds, span, 0, 1_100_000],
  [metrics.spanFloor, { ...span, method: 'quiet device' }, 200, 200],
  [metrics.spanCpuPackets, { device: 'eth0', cpu: '1' }, 0, 200_000],
  [metrics.spanStddev, span, 300, 300],
  [metrics.spanLost, { ...span, reason: 'unmatched' }, 0, 4],
  [metrics.spanLost, { ...span, reason: 'no-metadata' }, 0, 1],
  quantile('0', 210),
  quantile('0.5', 900),
  quantile('0.9', 1600),
  quantile('0.99', 3000),
  quantile('0.999', 7800),
  quantile('1', 9000),
  ...[bucket('128', 0), bucket('256', 10), bucket('512', 100), bucket('1024', 700), bucket('2048', 960)],
  ...[bucket('4096', 995), bucket('8192', 999), bucket('+Inf', 1000)],
  [metrics.netRxNanoseconds, { cpu: '1' }, 0, 400_000_000],
  [metrics.netRxDriverNanoseconds, { cpu: '1' }, 0, 100_000_000],
  [metrics.netRxPackets, { cpu: '1' }, 0, 200_000],
];

const sampled = (direction: string, part: string, samples: number): Cell => [
  metrics.profileSamples,
  { direction, cpu: '1', part },
  null,
  samples,
];
const stack = (direction: string, functions: string, samples: number): Cell => [
  metrics.profileStackSamples,
  { direction, stack: functions },
  null,
  samples,
];

/** 400 samples of receiving, most of them in the rules of the input hook, and too few of sending. */
export const profiled: Cell[] = [
  [metrics.profilePeriod, { clock: 'cpu-clock' }, 0.001, 0.001],
  [metrics.profileSeconds, {}, 0, 10],
  [metrics.profileCpus, { state: 'sampled' }, 2, 2],
  [metrics.profileCpus, { state: 'online' }, 2, 2],
  [metrics.profileLost, { reason: 'table' }, 0, 3],
  [metrics.profileOwnNanoseconds, {}, 0, 8_000_000],
  sampled('receive', 'nftables', 200),
  sampled('receive', 'tap-receive', 100),
  sampled('receive', 'driver-receive', 60),
  sampled('receive', 'udp', 37),
  sampled('receive', 'other', 3),
  sampled('transmit', 'tap-transmit', 40),
  [metrics.profileDeviceSamples, { direction: 'receive', device: 'eth0', cpu: '1', part: 'nftables' }, null, 200],
  [
    metrics.profileNetfilterSamples,
    { direction: 'receive', family: 'inet', hook: 'input', engine: 'nftables' },
    null,
    200,
  ],
  [
    metrics.profileProcessSamples,
    { direction: 'transmit', pid: '77', comm: 'send\u001ber', part: 'tap-transmit' },
    null,
    40,
  ],
  [metrics.profileProgramSamples, { direction: 'receive', program_id: '5', name: 'theirs', part: 'tc-bpf' }, null, 20],
  [metrics.profileOtherSamples, { direction: 'receive', function: 'surprise' }, null, 3],
  stack('receive', 'net_rx_action;__napi_poll;ip_local_deliver;nf_hook_slow;nft_do_chain', 200),
  stack('receive', 'net_rx_action;__napi_poll;veth_poll', 60),
  stack('receive', 'net_rx_action;__napi_poll;__netif_receive_skb_core;tpacket_rcv', 100),
  stack('receive', 'net_rx_action;<b>surprise', 40),
  stack('transmit', '__dev_queue_xmit;dev_hard_start_xmit;dev_queue_xmit_nit', 40),
];

const quiet: Finding[] = [
  finding({ code: 'PKT0101', rule: 'af-packet-tap-cost', role: 'cause', outcome: 'ok' }),
  finding({ code: 'PKT0405', rule: 'udp-buffer-errors', outcome: 'ok' }),
  finding({
    code: 'PKT0201',
    rule: 'conntrack-table-full',
    outcome: 'not-applicable',
    message: 'not-applicable',
    words: '{reason}',
    args: { reason: 'connection tracking is not in use' },
  }),
];
const noProbe = { metric: 'pktcost_span_quantile_nanoseconds', source: 'probe', reason: 'probe not built in' };

const tapCost: Finding = finding({
  code: 'PKT0101',
  rule: 'af-packet-tap-cost',
  role: 'cause',
  outcome: 'warning',
  title: 'Packet captures slow every packet',
  message: 'dear',
  words: 'Taps add {ns:ns} to each packet of {device}, {share:percent} of what receiving it costs. Held by {owners}.',
  args: { device: 'eth0', ns: 900, share: 0.36, owners: 'tcpdump (pid 4242) and 1 more' },
  at: { device: 'eth0', netns: '' },
  place: { netns: '', device: 'eth0', cpus: ['1'] },
  impact: { cpuShare: 0.009 },
  evidence: [
    {
      signal: 'span',
      metric: 'pktcost_span_nanoseconds_total',
      over: ['pktcost_span_samples_total'],
      labels: span,
      before: null,
      after: null,
      value: 900,
      unit: 'nanoseconds',
      threshold: 300,
      comparison: '>',
      source: 'probe',
      promql: 'rate(pktcost_span_seconds_total[5m]) / rate(pktcost_span_samples_total[5m])',
    },
  ],
  remedies: [{ action: 'Stop the capture if nobody needs it.', command: 'kill 4242', verify: 'pktcost taps' }],
});

const udpDrops: Finding = finding({
  code: 'PKT0405',
  rule: 'udp-buffer-errors',
  outcome: 'critical',
  title: 'Datagrams are dropped at full socket buffers',
  message: 'dropping',
  words: '{lost:count} datagrams were dropped ({rate:rate}) by {process}.',
  args: { lost: 1234, rate: 123.4, process: 'named (pid 77)' },
  place: { netns: '', cpus: ['1'] },
  impact: { lostPerSecond: 123.4 },
  remedies: [
    {
      action: 'Give the socket a larger buffer.',
      command: 'sysctl -w net.core.rmem_max=8388608',
      undo: 'sysctl -w net.core.rmem_max=212992',
    },
  ],
});

const full: WindowSpec = {
  cells: [
    ...host({ packets: 200_000, frames: 500_000, softirq: 0.5 }),
    [metrics.conntrackEntries, {}, 500, 500],
    [metrics.conntrackLimit, {}, 500, 500],
    [metrics.conntrackDrop, {}, [10, 0], [110, 100]],
    [metrics.conntrackEarlyDrop, {}, [0, 0], [0, 0]],
    [metrics.conntrackInsertFailed, {}, [0, 0], [0, 0]],
    [metrics.conntrackBuckets, {}, 512, 512],
  ],
};

/** Terminal escapes of both kinds, bidi overrides, invisible characters, markup, and a line break. */
export const hostile =
  'a\u001b[2J\u001b]0;owned\u0007\u009b31m\r\n\u202eevil\u2066\u200b\u2028\u0000\u007f<script>alert(1)</script>|`x`\ud800漢字';

const hostileFinding: Finding = finding({
  code: 'PKT0405',
  rule: 'udp-buffer-errors',
  outcome: 'critical',
  title: 'Datagrams are dropped at full socket buffers',
  message: 'dropping',
  words: '{lost:count} datagrams were dropped by {process} on {device}.',
  args: { lost: 9, process: hostile, device: hostile },
  at: { device: hostile, netns: hostile },
  place: { netns: hostile, device: hostile },
  evidence: [
    {
      signal: 'lost',
      metric: 'pktcost_udp_socket_drops_total',
      over: [],
      labels: { address: hostile, port: '53' },
      before: 1,
      after: 10,
      value: 9,
      unit: 'datagrams',
      threshold: 0,
      comparison: '>',
      source: hostile,
      promql: `increase(pktcost_udp_socket_drops_total{address=${JSON.stringify(hostile)}}[5m])`,
    },
  ],
  remedies: [{ action: `Look at ${hostile}.`, command: `ip netns exec '${hostile}' ss -uanp`, verify: hostile }],
});

/** The reports kept in test/fixtures/golden. */
export const goldenReports: Readonly<Record<string, () => Report>> = {
  idle: () => reportOf({ cells: [...host(), ...spans] }, quiet, { probe: attached }),
  'conntrack-full': () =>
    reportOf(full, [...evaluateRules(windowOf(full), [conntrackTableFull]), ...quiet.slice(0, 2)], {
      probe: attached,
      overrides: { PKT0201: { usage: 0.9 } },
    }),
  tap: () =>
    reportOf(
      {
        cells: [...host({ packets: 200_000, frames: 500_000, softirq: 0.5 }), busy, ...sockets, ...spans, ...profiled],
      },
      [tapCost, udpDrops, quiet[2]!],
      {
        probe: attached,
        self: {
          cpuSeconds: 0.12,
          peakMemoryBytes: 61 * 2 ** 20,
          nsPerPacket: 84,
          cpuShare: 0.0008,
          profileCpuShare: 0.0009,
          dropsCpuShare: 0.00005,
          runs: 410_000,
          budget: 0.01,
          actions: [
            { seconds: 2.5, action: 'sampling thinned to 1 in 128', reason: 'over the budget', restored: null },
          ],
        },
      },
    ),
  'no-probe': () =>
    reportOf(
      {
        cells: [...host({ packets: 200_000, frames: 500_000 }), ...sockets.slice(0, -1)],
        failed: { conntrack: { path: '/proc/net/stat/nf_conntrack', reason: 'permission denied (EACCES)' } },
      },
      [
        finding({
          ...quiet[0]!,
          message: 'unpriced',
          words: 'Taps on {device} see {packets:rate}; their price was not measured.',
          args: { device: 'eth0', packets: 50_000 },
        }),
        finding({
          code: 'PKT0104',
          rule: 'stack-latency',
          role: 'cause',
          outcome: 'not-measured',
          missing: [noProbe],
          instances: 2,
        }),
        finding({
          code: 'PKT0201',
          rule: 'conntrack-table-full',
          outcome: 'not-measured',
          missing: [
            {
              metric: 'node_nf_conntrack_stat_drop',
              source: '/proc/net/stat/nf_conntrack',
              reason: 'permission denied (EACCES)',
            },
          ],
        }),
      ],
      { cutShort: true, requestedSeconds: 30 },
    ),
  hostile: () =>
    reportOf(
      {
        cells: [
          [metrics.unameInfo, { release: hostile, version: hostile, machine: hostile, nodename: hostile }, 1, 1],
          [metrics.receivePackets, { device: hostile, netns: hostile }, 0, 10],
          socket('9', { device: hostile, netns: hostile, filter: hostile, ring: hostile, fanout: hostile }),
          owner('9', '66', hostile),
        ],
        failed: { netstat: { path: hostile, reason: hostile } },
      },
      [
        hostileFinding,
        finding({
          code: 'PKT0401',
          rule: 'listen-queue-overflow',
          outcome: 'not-measured',
          missing: [{ metric: 'x', source: hostile, reason: hostile }],
        }),
      ],
      { probe: { status: 'not-measured', tier: 'none', reason: hostile, plan: [] }, baseline: hostile },
    ),
};
