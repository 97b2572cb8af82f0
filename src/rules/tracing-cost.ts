import { worded } from './finding.ts';
import { processText } from '../base/process-text.ts';
import { detailsOf, programDetails, programName, programsOf } from '../facts/programs.ts';
import { perfEventHolder, tracedFunctions } from '../metrics/catalogue/index.ts';
import { value } from '../metrics/expression.ts';
import { costLimits, costly, costWords, judgeParts, needsProfile, notDear, pathSignals } from './path-parts.ts';
import { programSignals } from './program-signals.ts';
import { stopTracing } from './remedies/programs.ts';
import { defineRule, optionalList } from './rule.ts';

const TRACING = 'tracing';

export const tracingCost = defineRule({
  code: 'PKT0108',
  id: 'tracing-cost',
  role: 'cause',
  title: 'Tracing slows every packet',
  scope: [],
  signals: {
    ...pathSignals,
    ...programSignals,
    perfEvents: optionalList(value(perfEventHolder)),
    functions: optionalList(value(tracedFunctions)),
  },
  thresholds: costLimits(
    0.15,
    300,
    'estimate from single runs, not a series: an empty program on a tracepoint takes 40 to 60 ns, one with a stack 2 to 8 µs',
  ),
  messages: {
    dear: `Tracing takes ${costWords}. Traced by {owners}{details}{functions}.`,
  },
  alert: needsProfile,
  conclude(read, limits, { unread }) {
    const judged = judgeParts(read, (part) => part === TRACING, limits);
    if (judged === undefined) return notDear(read, (part) => part === TRACING, limits);
    const programs = programsOf(read, judged.cost.direction, (part) => part === TRACING);
    const perf = [...read.perfEvents]
      .sort((a, b) => b.value - a.value)
      .map(({ labels }) => ({ pid: labels['pid'] ?? '', comm: labels['comm'] ?? '' }));
    const holders = programs.flatMap((program) => program.holders);
    const names = programs.slice(0, 2).map(programName);
    const perfNames = perf.slice(0, 2).map((each) => `perf events of ${processText(each)}`);
    // Whoever has perf events open need not be the one, where programs were not seen.
    const owners = names.length > 0 || unread.has('programs') ? names : perfNames;
    const hooked = read.functions.reduce((sum, { value: count }) => sum + count, 0);
    return costly(judged, {
      message: 'dear',
      args: {
        owners:
          owners.length === 0
            ? worded([], 'nobody found: whoever set it up may have left it behind')
            : owners.join(' and '),
        details: programs[0] === undefined ? '' : worded(detailsOf(programs[0]), programDetails(programs[0])),
        functions:
          hooked === 0
            ? ''
            : worded(hooked, `; ${hooked.toLocaleString('en-US')} kernel functions have a hook of ftrace`),
      },
      evidence: { samples: null, programs: null, perfEvents: null, functions: null, processed: null },
      remedies: stopTracing(holders.length > 0 ? holders : names.length > 0 ? [] : perf),
    });
  },
});
