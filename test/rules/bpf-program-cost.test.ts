import {
  deviceProgram,
  profileProgramSamples,
  programHolder,
  programInfo,
  programLink,
  programNanoseconds,
  programRuns,
} from '../../src/metrics/catalogue/index.ts';
import { bpfProgramCost } from '../../src/rules/bpf-program-cost.ts';
import { ruleCases } from '../support/cases.ts';
import { pathCells, pathLacking } from '../support/path.ts';
import type { Cell } from '../support/window.ts';

const busy = pathCells({ 'tc-bpf': 6000, udp: 4000 }, { packets: 20_000 });
const nowhere = { mode: '', side: '', qdisc: '', parent: '' };
const ingress = { ...nowhere, hook: 'tc ingress', kind: 'tc', side: 'ingress' };
const program = (samples = 6000, attached = ingress): Cell[] => [
  [profileProgramSamples, { direction: 'receive', program_id: '77', name: 'spin', part: 'tc-bpf' }, 0, samples],
  [programInfo, { program_id: '77', type: 'sched_cls', name: 'spin', uid: '0' }, 1, 1],
  [deviceProgram, { device: 'eth0', program_id: '77', ...attached }, 1, 1],
  [programRuns, { program_id: '77' }, 100, 200],
  [programNanoseconds, { program_id: '77' }, 3_000_000, 6_000_000],
];

ruleCases(bpfProgramCost, [
  {
    name: 'a program at the ingress of a device, held by an agent',
    cells: [...busy, ...program(), [programHolder, { program_id: '77', pid: '4711', comm: 'agent' }, 1, 1]],
    outcome: 'critical',
    certainty: 'measured',
    args: {
      share: 0.6,
      owners: 'program spin (id 77)',
      details: ', sched_cls at tc ingress of eth0, held by agent (pid 4711)',
      run: "; a run takes 30,000 ns by the kernel's own statistics",
    },
    command: /bpftool prog show id 77[^]*tc -s filter show dev eth0 ingress/,
  },
  {
    name: 'one that nobody holds is pinned or attached by netlink',
    cells: [...busy, ...program()],
    outcome: 'critical',
    args: {
      details: ', sched_cls at tc ingress of eth0, no process seen that holds it: pinned, or attached by netlink',
    },
  },
  {
    name: 'a program that a queueing discipline asks is listed by its handle',
    cells: [...busy, ...program(6000, { ...nowhere, hook: 'tc htb 1:', kind: 'tc', qdisc: 'htb', parent: '1:' })],
    outcome: 'critical',
    args: {
      details: ', sched_cls at tc htb 1: of eth0, no process seen that holds it: pinned, or attached by netlink',
    },
    command: /tc -s filter show dev eth0 parent 1:$/,
  },
  {
    name: 'a program in the hardware is taken off there',
    cells: [...busy, ...program(6000, { ...nowhere, hook: 'xdp offloaded', kind: 'xdp', mode: 'offloaded' })],
    outcome: 'critical',
    command: /ip link set dev eth0 xdpoffload off$/,
  },
  {
    name: 'a tcx program is told once, by its device, and tracing by its link',
    cells: [
      ...busy,
      ...program(6000, { ...ingress, hook: 'tcx ingress', kind: 'tcx' }),
      [programLink, { link_id: '5', program_id: '77', type: 'tcx', hook: 'tcx_ingress', target: '' }, 1, 1],
      [programLink, { link_id: '6', program_id: '77', type: 'tracing', hook: 'fentry', target: '' }, 1, 1],
    ],
    outcome: 'critical',
    args: {
      details:
        ', sched_cls at tcx ingress of eth0, fentry, no process seen that holds it: pinned, or attached by netlink',
    },
  },
  {
    name: 'a third of a packet is a warning, a quarter is none for its error',
    cells: [...pathCells({ 'tc-bpf': 3500, udp: 6500 }), ...program(3500)],
    outcome: 'warning',
  },
  { name: 'a fifth', cells: [...pathCells({ 'tc-bpf': 2000, udp: 8000 }), ...program(2000)], outcome: 'ok' },
  {
    name: 'a program of half a microsecond is cheap, however large its share',
    cells: [...pathCells({ 'tc-bpf': 5000, udp: 4000 }, { packets: 1_000_000 }), ...program(5000)],
    outcome: 'ok',
  },
  {
    name: 'XDP that drops before the stack is no cost of the few packets that pass',
    cells: [
      ...pathCells({ xdp: 6000, udp: 1000 }, { packets: 1000 }),
      [profileProgramSamples, { direction: 'receive', program_id: '78', name: 'drop', part: 'xdp' }, 0, 6000],
      [programRuns, { program_id: '78' }, 0, 10_000],
      [programNanoseconds, { program_id: '78' }, 0, 900_000],
    ],
    outcome: 'ok',
  },
  {
    name: 'programs that were not seen',
    cells: busy,
    outcome: 'critical',
    args: { owners: 'programs that were not seen' },
    command: /bpftool net show/,
  },
  ...pathLacking('tc-bpf'),
]);
