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
  softnetProcessed,
} from '../metrics/catalogue/index.ts';
import { rate, renamed, sumBy, value } from '../metrics/expression.ts';
import { enoughTicks, feedersText, irqsOn, napiTimeOn, rpsOn } from './facts/packet-cpus.ts';
import { spreadPacketWork } from './remedies/irqs.ts';
import { critical, defineRule, notMeasured, ok, optional, optionalList, warning } from './rule.ts';
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
    other:
      'CPU {cpu} spends {share:percent} of its time in softirq, but receives only {packets:rate}: timers, block I/O or ' +
      'RCU, not the network, take it.',
  },
  conclude(read, limits, at) {
    const cpu = at.labels['cpu'] ?? '';
    const napi = napiTimeOn(cpu, read.threads, read.lastCpus);
    const share = read.softirq.value + napi.seconds;
    if (share < limits.warningShare) return ok();
    if (!enoughTicks(share * at.seconds, read.accounting?.value)) {
      return notMeasured(
        'a CPU seems busy with softirq, but the window holds fewer than 50 ticks of it: measure longer',
      );
    }
    const packets = read.processed?.value ?? 0;
    const feeders = irqsOn(read.taken, read.irqs);
    const queues = rpsOn(cpu, read.rps);
    const network = read.processed === undefined || packets >= limits.packets;
    const said = {
      // Where a thread ran last is where most of its time went, not all of it.
      certainty: napi.seconds > 0.1 ? 'correlated' : 'measured',
      message: network ? 'saturated' : 'other',
      args: {
        cpu,
        share: Math.min(1, share),
        packets,
        feeders: feedersText(feeders, queues, napi.names),
        threadShare: napi.seconds >= 0.01 ? ` (${Math.round(napi.seconds * 100)} % of it in threads)` : '',
      },
      evidence: {
        softirq: ['>=', limits.warningShare],
        processed: null,
        runs: null,
        ...(napi.seconds > 0 ? { threads: null } : {}),
      },
      remedies: spreadPacketWork({
        cpu,
        feeders,
        queues,
        threads: napi.names,
        network,
        loads: read.others,
        dedicated: read.dedicated,
      }),
      impact: read.cpus !== undefined && read.cpus.value > 0 ? { cpuShare: share / read.cpus.value } : {},
    } as const;
    return share >= limits.share && network ? critical(said) : warning(said);
  },
});
