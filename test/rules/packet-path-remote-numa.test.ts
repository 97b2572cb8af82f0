import {
  cpuNode,
  cpuSeconds,
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
/** Softirq shares of the CPUs; the rest is idle but for what programs take. */
const spent = (shares: Readonly<Record<number, number>>, programs = 0): Cell[] =>
  Array.from({ length: 8 }, (_, cpu) => cpu).flatMap((cpu): Cell[] => [
    [cpuSeconds, { cpu: `${cpu}`, mode: 'softirq' }, 5, 5 + 10 * (shares[cpu] ?? 0)],
    [cpuSeconds, { cpu: `${cpu}`, mode: 'idle' }, 5, 5 + 10 * (1 - programs - (shares[cpu] ?? 0))],
  ]);
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
      ...spent({ 0: 0.4, 5: 0.3 }),
    ],
    outcome: 'warning',
    certainty: 'measured',
    message: 'interrupts',
    args: {
      share: 0.5,
      cpus: '0',
      node: '1',
      packets: 100000,
      // 0.7 CPUs for 80,000 packets a second, of which 50,000 are remote; no more than CPU 0 spends.
      cost: '; at the usual 10 to 30% a packet that takes about 0.08 CPUs, an estimate',
    },
    command:
      / \| tee pktcost-undo-irqs\.sh; for irq in 41; do echo 4-7 > \/proc\/irq\/\$irq\/smp_affinity_list; done$/m,
  },
  {
    name: 'an idle host with its interrupts spread evenly: mentioned, with what it costs',
    cells: [
      ...topology,
      ...nic(20000),
      ...irq('41', 0, 5000),
      ...irq('42', 5, 5000),
      passed(0, 100000),
      passed(5, 100000),
      ...spent({ 0: 0.02, 5: 0.02 }),
    ],
    outcome: 'info',
    certainty: 'measured',
    message: 'interrupts',
    args: { share: 0.5, cost: '; at the usual 10 to 30% a packet that takes about 0.004 CPUs, an estimate' },
  },
  {
    name: 'just below a twentieth of a CPU',
    cells: [...topology, ...nic(100000), ...irq('41', 0, 5000), passed(0, 1_000_000), ...spent({ 0: 0.249 })],
    outcome: 'info',
  },
  {
    name: 'a twentieth of a CPU',
    cells: [...topology, ...nic(100000), ...irq('41', 0, 5000), passed(0, 1_000_000), ...spent({ 0: 0.25 })],
    outcome: 'warning',
  },
  {
    name: 'a remote CPU that is short of time, whatever the way across takes of it',
    cells: [
      ...topology,
      ...nic(20000),
      ...irq('41', 0, 5000),
      passed(0, 200_000),
      passed(1, 10_000_000),
      ...spent({ 0: 0.7, 1: 0.1 }),
    ],
    outcome: 'warning',
    args: {
      cost: '; at the usual 10 to 30% a packet that takes about 0.0031 CPUs, an estimate; CPU 0 is short of time',
    },
  },
  {
    name: 'what it costs is not known: mentioned, and said so',
    cells: [...topology, ...nic(99_990), ...irq('41', 0, 5000), passed(0, 999_900)],
    outcome: 'info',
    certainty: 'measured',
    args: { cost: '; what that costs is not known' },
  },
  {
    name: 'what it costs is not known, and so many cross that it has to be something: possible',
    cells: [...topology, ...nic(100_000), ...irq('41', 0, 5000), passed(0, 1_000_000)],
    outcome: 'warning',
    certainty: 'possible',
    args: { cost: '; what that costs is not known' },
  },
  {
    name: 'CPUs at home without room are no place to move to',
    cells: [
      ...topology,
      ...nic(100000),
      ...irq('41', 0, 5000),
      passed(0, 1_000_000),
      ...spent({ 0: 0.2, 1: 0.2 }, 0.75),
    ],
    outcome: 'info',
    command: /^ps -eLo psr/,
  },
  {
    name: 'those with room are',
    cells: [
      ...topology,
      ...nic(100000),
      ...irq('41', 0, 5000),
      passed(0, 1_000_000),
      ...spent({ 0: 0.6, 4: 0.71, 5: 0.69, 6: 0.8 }),
    ],
    outcome: 'warning',
    command: /do echo 5,7 > /,
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
      ...spent({ 0: 0.5 }),
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
    ran: ['softnet'],
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
      ...spent({ 0: 0.4, 5: 0.4 }),
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
      ...spent({ 0: 0.3, 1: 0.3 }),
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
