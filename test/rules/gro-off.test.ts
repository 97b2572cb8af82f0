import { cpuSeconds, netstat, receiveBytes, receivePackets, spanPackets } from '../../src/metrics/catalogue/index.ts';
import { groOff } from '../../src/rules/gro-off.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const bulk = ({ frames = 100_000, skbs = 100_000, bytes = 1448, segments = 100_000, softirq = 0.6 } = {}): Cell[] => [
  [receivePackets, { device: 'eth0' }, 0, frames * 10],
  [receiveBytes, { device: 'eth0' }, 0, frames * bytes * 10],
  [spanPackets, { device: 'eth0' }, 0, skbs * 10],
  [netstat.member('Tcp_InSegs'), {}, 0, segments * 10],
  [cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, softirq * 10],
];

ruleCases(groOff, [
  {
    name: 'bulk TCP in full frames, each alone through the stack',
    cells: bulk(),
    outcome: 'warning',
    certainty: 'correlated',
    args: { device: 'eth0', merged: 1 },
    command: /ethtool -K eth0 gro on/,
  },
  { name: 'GRO merges', cells: bulk({ skbs: 20_000 }), outcome: 'ok' },
  { name: 'UDP is not merged', cells: bulk({ segments: 1000 }), outcome: 'ok' },
  { name: 'small frames cannot be', cells: bulk({ bytes: 300 }), outcome: 'ok' },
  { name: 'frames of 64 KB were merged before', cells: bulk({ bytes: 60_000 }), outcome: 'ok' },
  { name: 'few frames', cells: bulk({ frames: 10_000, skbs: 10_000 }), outcome: 'ok' },
  { name: 'a CPU that has time', cells: bulk({ softirq: 0.1 }), outcome: 'ok' },
  {
    name: 'a device that the probe could not watch',
    cells: bulk().filter(([metric]) => metric !== spanPackets),
    failed: { ebpf: { path: 'probe', reason: 'needs CAP_BPF' } },
    outcome: 'not-measured',
    missing: /CAP_BPF/,
  },
  {
    name: 'a device whose counters began anew',
    cells: [...bulk().filter(([metric]) => metric !== receivePackets), [receivePackets, { device: 'eth0' }, 1e9, 5]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
