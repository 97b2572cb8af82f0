import {
  cpuDedicated,
  cpuSeconds,
  deviceIrq,
  deviceRps,
  interrupts,
  kernelFeature,
  processCpu,
  processLastCpu,
  softirqFunctions,
  softnetDropped,
  softnetProcessed,
} from '../metrics/catalogue/index.ts';
import { unlessOn, where } from '../metrics/condition.ts';
import { add, andOn, either, rate, ratio, renamed, subtract, sumBy, value } from '../metrics/expression.ts';
import { enoughTicks, feedersText, irqsOn, napiTimeOn, rpsOn } from './facts/packet-cpus.ts';
import { makeRoom, spreadPacketWork } from './remedies/irqs.ts';
import {
  critical,
  defineRule,
  notMeasured,
  ok,
  optional,
  optionalList,
  warning,
  type Limits,
  type Signal,
} from './rule.ts';
import { thresholds } from './thresholds.ts';

const softirqTime = sumBy(['cpu'], rate(cpuSeconds, { mode: ['softirq', 'irq'] }));

export const softirqSaturation = defineRule({
  code: 'PKT0102',
  id: 'softirq-saturation',
  role: 'outcome',
  title: 'A CPU is taken up by softirq: it has no time left for packets that arrive, nor for programs',
  seed: '§3.3, §5.3',
  scope: ['cpu'],
  signals: {
    // Wall time is the denominator: on idle CPUs with NO_HZ the modes add up to less (kernel/time/tick-sched.c).
    softirq: softirqTime,
    threads: optionalList(rate(processCpu, { role: ['napi', 'backlog'] })),
    lastCpus: optionalList(value(processLastCpu)),
    processed: optional(rate(softnetProcessed)),
    dropped: optional(rate(softnetDropped)),
    idle: optional(sumBy(['cpu'], rate(cpuSeconds, { mode: ['idle', 'iowait'] }))),
    runs: optional(sumBy(['cpu'], rate(softirqFunctions, { type: 'NET_RX' }))),
    taken: optionalList(rate(interrupts)),
    irqs: optionalList(value(deviceIrq)),
    rps: optionalList(value(deviceRps)),
    others: optionalList(renamed(softirqTime, 'cpu', 'on')),
    dedicated: optionalList(renamed(sumBy(['cpu'], value(cpuDedicated)), 'cpu', 'on')),
    accounting: optional(value(kernelFeature, { feature: 'irq_time_accounting' })),
    cpus: optional(sumBy([], rate(cpuSeconds))),
  },
  thresholds: thresholds.PKT0102,
  messages: {
    saturated:
      'CPU {cpu} spends {share:percent} of its time in softirq and NAPI threads{threadShare}. Fed by {feeders}.',
    starved:
      'CPU {cpu} has no time left for packets: programs leave softirq {share:percent} of it, {idle:percent} is idle, and its ' +
      'backlog drops {dropped:rate} packets while it takes {packets:rate}. Fed by {feeders}.',
    unseen:
      'CPU {cpu} spends {share:percent} of its time in softirq and runs NET_RX at {runs:rate}, but only {packets:rate} packets ' +
      'get into the stack: XDP drops or redirects the others, or it clears away what was sent. Fed by {feeders}.',
    other:
      'CPU {cpu} spends {share:percent} of its time in softirq, but receives only {packets:rate}: timers, block I/O or ' +
      'RCU, not the network, take it.',
  },
  alert: {
    differs: {
      threads: 'the time of NAPI threads, which is system time of whatever CPU they run on, is left out',
      ticks: 'a range of minutes holds enough ticks for a share; a short window may not',
    },
    raise: ({ softirq, processed, dropped, idle, runs }, limits) => {
      // Few packets, and no runs beyond them: not the network.
      const unseen = where(subtract(runs, processed), '>=', limits.packets);
      const other = unlessOn(['cpu'], where(processed, '<', limits.packets), unseen);
      const drops = where(where(ratio(dropped, add(dropped, processed)), '>=', limits.loss), '>', 0);
      const starved = andOn(
        ['cpu'],
        andOn(['cpu'], where(softirq, '>=', limits.starvedShare), where(idle, '<=', limits.spare)),
        andOn(['cpu'], drops, where(processed, '>=', limits.packets)),
      );
      const says = 'The CPU spends {value} of its time in softirq';
      return {
        critical: {
          when: unlessOn(['cpu'], where(softirq, '>=', limits.share), other),
          says: `${says}, for packets.`,
        },
        warning: {
          when: either(where(softirq, '>=', limits.warningShare), starved),
          says: `${says}, or has none left for it beside its programs and drops packets.`,
        },
      };
    },
  },
  conclude(read, limits, at) {
    const cpu = at.labels['cpu'] ?? '';
    const napi = napiTimeOn(cpu, read.threads, read.lastCpus);
    const share = read.softirq.value + napi.seconds;
    const starved = share < limits.warningShare && isStarved(read, share, limits);
    if (share < limits.warningShare && !starved) return ok();
    if (!enoughTicks(share * at.seconds, read.accounting?.value)) {
      // The drops are PKT0502's to tell.
      if (starved) return ok();
      return notMeasured(
        'a CPU seems busy with softirq, but the window holds fewer than 50 ticks of it: measure longer',
      );
    }
    const packets = read.processed?.value ?? 0;
    const feeders = irqsOn(read.taken, read.irqs);
    const queues = rpsOn(cpu, read.rps);
    const seen = read.processed === undefined || packets >= limits.packets;
    // Neither what XDP drops, sends back or redirects nor the completion of what was sent counts as processed, and a run
    // that is for packets takes one at least.
    const network = seen || (read.runs?.value ?? 0) - packets >= limits.packets;
    const said = {
      // Where a thread ran last is where most of its time went, not all of it.
      certainty: napi.seconds > 0.1 ? 'correlated' : 'measured',
      message: starved ? 'starved' : seen ? 'saturated' : network ? 'unseen' : 'other',
      args: {
        cpu,
        share: Math.min(1, share),
        packets,
        runs: read.runs?.value ?? 0,
        dropped: read.dropped?.value ?? 0,
        idle: read.idle?.value ?? 0,
        feeders: feedersText(feeders, queues, napi.names),
        threadShare: napi.seconds >= 0.01 ? ` (${Math.round(napi.seconds * 100)} % of it in threads)` : '',
      },
      evidence: {
        softirq: ['>=', starved ? limits.starvedShare : limits.warningShare],
        ...(starved ? ({ idle: ['<=', limits.spare], dropped: ['>', 0] } as const) : {}),
        processed: null,
        runs: null,
        ...(napi.seconds > 0 ? { threads: null } : {}),
      },
      remedies: [
        ...(starved ? [makeRoom(cpu)] : []),
        ...spreadPacketWork({
          cpu,
          feeders,
          queues,
          threads: napi.pids,
          deviceIrqs: read.irqs,
          network,
          loads: read.others,
          dedicated: read.dedicated,
        }),
      ],
      impact: read.cpus !== undefined && read.cpus.value > 0 ? { cpuShare: share / read.cpus.value } : {},
    } as const;
    return share >= limits.share && network ? critical(said) : warning(said);
  },
});

/**
 * Once softirq work is left to ksoftirqd it is a task among others (kernel/softirq.c:invoke_softirq), and programs on the
 * same CPU get as much of it: softirq then never reaches the share of a saturated CPU, however much waits.
 */
function isStarved(
  read: Readonly<Record<'idle' | 'dropped' | 'processed', Signal | undefined>>,
  share: number,
  limits: Limits<typeof thresholds.PKT0102>,
): boolean {
  const { idle, dropped, processed } = read;
  if (idle === undefined || dropped === undefined || processed === undefined) return false;
  return (
    share >= limits.starvedShare &&
    idle.value <= limits.spare &&
    processed.value >= limits.packets &&
    dropped.value > 0 &&
    dropped.value >= limits.loss * (dropped.value + processed.value)
  );
}
