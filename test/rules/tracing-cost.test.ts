import {
  perfEventHolder,
  profileProgramSamples,
  programHolder,
  programInfo,
  programLink,
  tracedFunctions,
} from '../../src/metrics/catalogue/index.ts';
import { tracingCost } from '../../src/rules/tracing-cost.ts';
import { ruleCases } from '../support/cases.ts';
import { pathCells, pathLacking } from '../support/path.ts';
import type { Cell } from '../support/window.ts';

const busy = pathCells({ tracing: 6600, udp: 3400 }, { packets: 60_000 });
const program: Cell[] = [
  [profileProgramSamples, { direction: 'receive', program_id: '9', name: 'on_packet', part: 'tracing' }, 0, 6000],
  [programInfo, { program_id: '9', type: 'tracing', name: 'on_packet', uid: '0' }, 1, 1],
  [programLink, { link_id: '5', program_id: '9', hook: 'tp_btf', target: '' }, 1, 1],
];

ruleCases(tracingCost, [
  {
    name: 'a program with stacks on netif_receive_skb, held by bpftrace',
    cells: [
      ...busy,
      ...program,
      [programHolder, { program_id: '9', pid: '800', comm: 'bpftrace' }, 1, 1],
      [perfEventHolder, { pid: '900', comm: 'perf' }, 2, 2],
    ],
    outcome: 'critical',
    certainty: 'measured',
    args: {
      share: 0.66,
      owners: 'program on_packet (id 9)',
      details: ', tracing at tp_btf, held by bpftrace (pid 800)',
      functions: '',
    },
    command: /kill -INT 800/,
  },
  {
    name: 'no program, but perf events on a tracepoint',
    cells: [
      ...busy,
      [perfEventHolder, { pid: '900', comm: 'perf' }, 2, 2],
      [tracedFunctions, { tracer: 'kprobe' }, 3, 3],
    ],
    outcome: 'critical',
    args: { owners: 'perf events of perf (pid 900)', functions: '; 3 kernel functions have a hook of ftrace' },
    command: /kill -INT 900/,
  },
  {
    name: 'nobody holds it: a kprobe that was left behind',
    cells: busy,
    outcome: 'critical',
    args: { owners: 'nobody found: whoever set it up may have left it behind' },
    command: /kprobe_events/,
  },
  {
    name: 'a fifth of a packet is a warning',
    cells: [...pathCells({ tracing: 2000, udp: 8000 }), ...program],
    outcome: 'warning',
  },
  {
    name: 'a tenth is what an empty program takes',
    cells: [...pathCells({ tracing: 1000, udp: 9000 }), ...program],
    outcome: 'ok',
  },
  {
    name: 'no more than 300 ns a packet',
    cells: [...pathCells({ tracing: 2500, udp: 7500 }, { packets: 1_000_000 }), ...program],
    outcome: 'ok',
  },
  ...pathLacking('tracing'),
]);
