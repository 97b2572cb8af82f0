import {
  cpuNode,
  deviceInterrupts,
  deviceNumaNode,
  deviceRps,
  deviceThreaded,
  processCpu,
  processLastCpu,
  receivePackets,
  softnetProcessed,
} from '../../src/metrics/catalogue/index.ts';
import { packetPathRemoteNuma } from '../../src/rules/packet-path-remote-numa.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

/** CPUs 0-3 on node 0, 4-7 on node 1. */
const topology: Cell[] = Array.from({ length: 8 }, (_, cpu) => [
  cpuNode,
  { cpu: `${cpu}`, node: cpu < 4 ? '0' : '1' },
  1,
  1,
]);
const nic = (perSecond: number, node: number | null = 1): Cell[] => [
  [deviceNumaNode, { device: 'eth0' }, node, node],
  [receivePackets, { device: 'eth0' }, 1000, 1000 + 10 * perSecond],
];
/** An interrupt of eth0 that fires on one CPU, and the packets that CPU passed. */
const irq = (type: string, cpu: number, count: number, device = 'eth0'): Cell[] => [
  [deviceInterrupts, { device, cpu: `${cpu}`, type }, 50, 50 + count],
];
const passed = (cpu: number, packets: number): Cell => [softnetProcessed, { cpu: `${cpu}` }, 7, 7 + packets];

ruleCases(packetPathRemoteNuma, [
  {
    name: 'half of the work on the other node: names the CPUs and moves the very IRQs',
    cells: [
      ...topology,
      ...nic(100000),
      ...irq('41', 0, 5000),
      ...irq('42', 5, 5000),
      passed(0, 400000),
      passed(5, 400000),
    ],
    outcome: 'warning',
    certainty: 'measured',
    message: 'interrupts',
    args: { share: 0.5, cpus: '0', node: '1', packets: 100000 },
    command: /^echo 4-7 > \/proc\/irq\/41\/smp_affinity_list$/m,
  },
  {
    name: 'a remote CPU that polls takes few interrupts and does most of the work all the same',
    cells: [
      ...topology,
      ...nic(100000),
      ...irq('41', 0, 10),
      ...irq('42', 5, 10000),
      passed(0, 900000),
      passed(5, 90000),
    ],
    outcome: 'warning',
    args: { share: 900000 / 990000 },
  },
  {
    name: 'packets of veth on a remote CPU that takes a few interrupts are not put down to the NIC',
    cells: [
      ...topology,
      ...nic(100000),
      ...irq('41', 0, 10),
      ...irq('42', 5, 10000),
      passed(0, 5000000),
      passed(5, 900000),
    ],
    outcome: 'ok',
  },
  {
    name: 'just below a quarter stays quiet',
    cells: [...topology, ...nic(100000), ...irq('41', 0, 249), ...irq('42', 5, 751)],
    outcome: 'ok',
  },
  {
    name: 'all at home',
    cells: [...topology, ...nic(100000), ...irq('41', 4, 5000), ...irq('42', 5, 5000), passed(4, 500000)],
    outcome: 'ok',
  },
  {
    name: 'two ports that share the interrupts of one function: each is judged by all of them',
    cells: [
      ...topology,
      ...nic(100000),
      [deviceNumaNode, { device: 'eth1' }, 1, 1],
      [receivePackets, { device: 'eth1' }, 0, 1_000_000],
      ...['eth0', 'eth1'].flatMap((device) => [...irq('41', 0, 5000, device), ...irq('42', 5, 5000, device)]),
      passed(0, 400000),
      passed(5, 400000),
    ],
    outcome: 'warning',
    args: { device: 'eth0', share: 0.5 },
  },
  {
    name: 'a trickle of packets is not worth moving',
    cells: [...topology, ...nic(19999), ...irq('41', 0, 5000), passed(0, 100000)],
    outcome: 'ok',
  },
  {
    name: 'RPS to the other node while the interrupts are at home',
    cells: [
      ...topology,
      ...nic(100000),
      ...irq('42', 5, 5000),
      passed(0, 500000),
      passed(1, 500000),
      [deviceRps, { device: 'eth0', queue: 'rx-0', cpus: '0-1,4-5' }, 1, 1],
    ],
    outcome: 'warning',
    certainty: 'correlated',
    message: 'rps',
    args: { share: 0.5, cpus: '0-1' },
    command: /for q in 0; do echo f0 > \/sys\/class\/net\/eth0\/queues\/rx-\$q\/rps_cpus/,
  },
  {
    name: 'threaded NAPI: the threads, by their time and where they were seen',
    cells: [
      ...topology,
      ...nic(100000),
      ...irq('42', 5, 5000),
      [deviceThreaded, { device: 'eth0' }, 1, 1],
      [processCpu, { pid: '300', comm: 'napi/eth0-8193', role: 'napi' }, 1, 4],
      [processLastCpu, { pid: '300', comm: 'napi/eth0-8193', role: 'napi' }, 2, 2],
      [processCpu, { pid: '301', comm: 'napi/eth1-8200', role: 'napi' }, 1, 9],
      [processLastCpu, { pid: '301', comm: 'napi/eth1-8200', role: 'napi' }, 5, 5],
    ],
    outcome: 'warning',
    message: 'threads',
    args: { share: 1, cpus: '2' },
    command: /for t in 300; do taskset -pc 4-7 \$t; done/,
  },
  {
    name: 'the firmware did not say the node: not measured, and not taken for node 0',
    cells: [...topology, ...nic(100000, -1), ...irq('41', 4, 5000)],
    outcome: 'not-measured',
    missing: /-1, which does not mean node 0/,
  },
  {
    name: 'one node: the question does not arise',
    cells: [[cpuNode, { cpu: '0', node: '0' }, 1, 1], ...nic(100000, -1), ...irq('41', 0, 5000)],
    outcome: 'not-applicable',
  },
  {
    name: 'no device with interrupts of its own, as in a container',
    cells: topology,
    ran: ['interrupts'],
    outcome: 'not-applicable',
  },
  {
    name: 'no /proc/interrupts: not measured',
    cells: [...topology, ...nic(100000)],
    failed: { interrupts: { path: '/proc/interrupts', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /pktcost_device_interrupts_total: permission denied/,
  },
  {
    name: 'interrupts that stood still',
    cells: [...topology, ...nic(100000), ...irq('41', 0, 0)],
    outcome: 'not-measured',
    missing: /no interrupt and no NAPI thread of eth0/,
  },
  {
    name: 'a NIC whose counters were reset by its driver: not measured',
    cells: [
      ...topology,
      [deviceNumaNode, { device: 'eth0' }, 1, 1],
      [receivePackets, { device: 'eth0' }, 9000000, 12],
      ...irq('41', 0, 5000),
    ],
    outcome: 'not-measured',
    missing: /packets of eth0/,
  },
]);
