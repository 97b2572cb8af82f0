import {
  cpuDedicated,
  cpuNode,
  deviceNumaNode,
  processAllowed,
  processCpu,
  processLastCpu,
  receivePackets,
  userspaceNic,
} from '../../src/metrics/catalogue/index.ts';
import { ovsOffNode } from '../../src/rules/ovs-off-node.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const topology: Cell[] = Array.from({ length: 8 }, (_, cpu) => [
  cpuNode,
  { cpu: `${cpu}`, node: cpu < 4 ? '0' : '1' },
  1,
  1,
]);
const nic = (node: number, perSecond = 50000, device = 'eth0'): Cell[] => [
  [deviceNumaNode, { device }, node, node],
  [receivePackets, { device }, 0, 10 * perSecond],
];
const given = (node: string): Cell => [userspaceNic, { pci: '0000:81:00.0', driver: 'vfio-pci', node }, 1, 1];
const thread = (comm: string, role: string, seconds: number, cpus: string, last: number, pid = '70'): Cell[] => [
  [processCpu, { pid, comm, role }, 5, 5 + seconds],
  [processLastCpu, { pid, comm, role }, last, last],
  [processAllowed, { pid, comm, role, cpus, mems: '0-1' }, 1, 1],
];

ruleCases(ovsOffNode, [
  {
    name: 'PMD threads pinned off the node of the NIC: the mask that brings them home, not on the first CPU',
    cells: [...topology, ...nic(1), ...thread('pmd-c02/id:9', 'ovs', 10, '2', 2)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'pinned',
    args: { threads: 1, cpus: '2', node: '1', devices: 'eth0', busy: 1 },
    command: /pmd-cpu-mask=0x80$/m,
  },
  {
    name: 'two that share a CPU take no more of it than there is, whatever their clocks say',
    cells: [
      ...topology,
      ...nic(1),
      ...thread('pmd-c02/id:9', 'ovs', 8, '2', 2),
      ...thread('pmd-c02/id:10', 'ovs', 7, '2', 2, '71'),
    ],
    outcome: 'warning',
    message: 'pinned',
    args: { threads: 2, busy: 1 },
  },
  {
    name: 'one takes no more than a CPU, where two have one each',
    cells: [
      ...topology,
      ...nic(1),
      ...thread('pmd-c02/id:9', 'ovs', 11, '2', 2),
      ...thread('pmd-c03/id:10', 'ovs', 5, '3', 3, '71'),
    ],
    outcome: 'warning',
    message: 'pinned',
    args: { threads: 2, busy: 1.5 },
  },
  {
    name: 'with the NIC of DPDK on their own node, a NIC of the kernel elsewhere says nothing',
    cells: [...topology, ...nic(1), given('0'), ...thread('pmd-c02/id:9', 'ovs', 10, '2', 2)],
    outcome: 'ok',
  },
  {
    name: 'off the node of the NIC of DPDK, whatever the kernel has',
    cells: [...topology, given('1'), ...thread('pmd-c02/id:9', 'ovs', 10, '2', 2)],
    outcome: 'warning',
    certainty: 'measured',
    args: { node: '1', devices: '0000:81:00.0' },
  },
  {
    name: 'the node of the NIC of DPDK is unknown',
    cells: [...topology, ...nic(1), given(''), ...thread('pmd-c02/id:9', 'ovs', 10, '2', 2)],
    outcome: 'not-measured',
    missing: /firmware did not say/,
  },
  {
    name: 'the mask keeps the PMD threads that are at home, and prefers isolated CPUs to the first of the node',
    cells: [
      ...topology,
      ...nic(1),
      ...thread('pmd-c02/id:9', 'ovs', 10, '2', 2),
      [processCpu, { pid: '71', comm: 'pmd-c06/id:8', role: 'ovs' }, 5, 15],
      [processLastCpu, { pid: '71', comm: 'pmd-c06/id:8', role: 'ovs' }, 6, 6],
      [processAllowed, { pid: '71', comm: 'pmd-c06/id:8', role: 'ovs', cpus: '6', mems: '0-1' }, 1, 1],
      [cpuDedicated, { cpu: '5', by: 'isolcpus' }, 1, 1],
      [cpuDedicated, { cpu: '6', by: 'isolcpus' }, 1, 1],
    ],
    outcome: 'warning',
    args: { threads: 1 },
    command: /pmd-cpu-mask=0x60$/m,
  },
  {
    name: 'a vhost thread pinned off the node: taskset',
    cells: [...topology, ...nic(1), ...thread('vhost-4711', 'vhost', 4, '0-3', 1)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'pinned',
    args: { threads: 1, cpus: '0-3', node: '1', devices: 'eth0', busy: 0.4 },
    command: /for t in 70; do taskset -pc 4-7 \$t; done/,
  },
  {
    name: 'free to run anywhere and last seen off the node: one look is a remark',
    cells: [...topology, ...nic(1), ...thread('vhost-4711', 'vhost', 4, '0-7', 1)],
    outcome: 'info',
    certainty: 'possible',
    message: 'running',
    args: { cpus: '1' },
  },
  {
    name: 'free to run anywhere and at home',
    cells: [...topology, ...nic(1), ...thread('vhost-4711', 'vhost', 4, '0-7', 6)],
    outcome: 'ok',
  },
  {
    name: 'pinned off the node but idle: nothing crosses',
    cells: [...topology, ...nic(1), ...thread('vhost-4711', 'vhost', 0.4, '0-3', 1)],
    outcome: 'ok',
  },
  {
    name: 'NICs in use on both nodes: any place is home',
    cells: [...topology, ...nic(1), ...nic(0, 5000, 'eth1'), ...thread('vhost-4711', 'vhost', 4, '0-3', 1)],
    outcome: 'ok',
  },
  {
    name: 'an idle NIC does not make its node a home',
    cells: [...topology, ...nic(1), ...nic(0, 10, 'eth1'), ...thread('vhost-4711', 'vhost', 4, '0-3', 1)],
    outcome: 'warning',
  },
  {
    name: 'nor does one just below the rate from which it is in use',
    cells: [...topology, ...nic(1), ...nic(0, 999, 'eth1'), ...thread('vhost-4711', 'vhost', 4, '0-3', 1)],
    outcome: 'warning',
  },
  {
    name: 'the node of the NIC is unknown',
    cells: [...topology, ...nic(-1), ...thread('vhost-4711', 'vhost', 4, '0-3', 1)],
    outcome: 'not-measured',
    missing: /firmware did not say/,
  },
  {
    name: 'DPDK ports are no network devices: not measured',
    cells: [...topology, ...thread('pmd-c02/id:9', 'ovs', 10, '2', 2)],
    outcome: 'not-measured',
    missing: /userspace driver/,
  },
  {
    name: 'revalidators of Open vSwitch touch no packets',
    cells: [...topology, ...nic(1), ...thread('revalidator9', 'ovs', 4, '0-3', 1)],
    outcome: 'not-applicable',
  },
  {
    name: 'handlers of upcalls do',
    cells: [...topology, ...nic(1), ...thread('handler3', 'ovs', 4, '0-3', 1)],
    outcome: 'warning',
    message: 'pinned',
  },
  {
    name: 'no such thread',
    cells: [...topology, ...nic(1), [processCpu, { pid: '12', comm: 'ksoftirqd/0', role: 'ksoftirqd' }, 0, 9]],
    outcome: 'not-applicable',
  },
  {
    name: 'one node',
    cells: [[cpuNode, { cpu: '0', node: '0' }, 1, 1], ...nic(0), ...thread('vhost-1', 'vhost', 4, '0', 0)],
    outcome: 'not-applicable',
  },
  {
    name: 'processes cannot be listed: not measured',
    cells: [...topology, ...nic(1)],
    failed: { processes: { path: '/proc', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /permission denied/,
  },
  {
    name: 'a thread that began in the window is left out, not charged for its whole life',
    cells: [
      ...topology,
      ...nic(1),
      ...thread('vhost-4711', 'vhost', 0, '0-3', 1),
      [processCpu, { pid: '71', comm: 'vhost-4712', role: 'vhost' }, null, 900],
    ],
    outcome: 'ok',
  },
]);
