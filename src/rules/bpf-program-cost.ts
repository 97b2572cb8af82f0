import { worded } from './finding.ts';
import { detailsOf, programDetails, programName, programsOf } from '../facts/programs.ts';
import { costLimits, costly, costWords, judgeParts, needsProfile, notDear, pathSignals } from './path-parts.ts';
import { programSignals } from './program-signals.ts';
import { lightenProgram } from './remedies/programs.ts';
import { defineRule, ok } from './rule.ts';

const PARTS = new Set(['tc-bpf', 'xdp', 'xdp-generic', 'cgroup-bpf']);
/** What XDP drops or sends back is not among the packets of the stack, by which the profile's price is told. */
const BEFORE_STACK = 'xdp';

export const bpfProgramCost = defineRule({
  code: 'PKT0107',
  id: 'bpf-program-cost',
  role: 'cause',
  title: 'A BPF program slows every packet',
  scope: [],
  signals: { ...pathSignals, ...programSignals },
  thresholds: costLimits(
    0.25,
    1000,
    'estimate from single runs, not a series: programs of load balancers and CNIs take 0.1 to 0.8 µs a packet',
  ),
  messages: {
    dear: `BPF programs on the packet path take ${costWords}. Most of it: {owners}{details}{run}.`,
  },
  alert: needsProfile,
  conclude(read, limits) {
    const judged = judgeParts(read, (part) => PARTS.has(part), limits);
    if (judged === undefined) return notDear(read, (part) => PARTS.has(part), limits);
    const programs = programsOf(read, judged.cost.direction, (part) => PARTS.has(part));
    const [dearest] = programs;
    const early = judged.cost.parts.find(([part]) => part === BEFORE_STACK)?.[1] ?? 0;
    if (early > judged.cost.share / 2 && (dearest?.nsPerRun ?? 0) < limits.nanoseconds) return ok();
    return costly(judged, {
      message: 'dear',
      args: {
        owners:
          programs.length === 0
            ? worded([], 'programs that were not seen')
            : programs.slice(0, 2).map(programName).join(' and '),
        details: dearest === undefined ? '' : worded(detailsOf(dearest), programDetails(dearest)),
        run:
          dearest?.nsPerRun === undefined
            ? ''
            : worded(
                dearest.nsPerRun,
                `; a run takes ${Math.round(dearest.nsPerRun).toLocaleString('en-US')} ns by the kernel's own statistics`,
              ),
      },
      evidence: { samples: null, programs: null, known: null, runs: null, runNs: null, processed: null },
      remedies: programs.length === 0 ? [listPrograms] : programs.slice(0, 2).flatMap(lightenProgram),
      place: dearest === undefined || dearest.device === '' ? {} : { device: dearest.device, netns: dearest.netns },
    });
  },
});

const listPrograms = {
  action: 'See which programs are on the packet path, and who holds them.',
  command: 'bpftool net show; bpftool prog show; bpftool cgroup tree',
  verify: 'pktcost diagnose --window 10s',
} as const;
