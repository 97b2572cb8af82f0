import { cpuCount, ofAllCpuTime } from '../facts/cpu-time.ts';
import { interruptModes, takenOfCpu } from '../facts/interrupt-time.ts';
import { worded } from './finding.ts';
import { lossShare } from '../facts/loss.ts';
import { feedersData, feedersText, irqsOn, napiTimeOn, receivingThreads, rpsOn } from '../facts/packet-cpus.ts';
import { enoughTicks } from '../facts/price.ts';
import {
  cpuDedicated,
  cpuSeconds,
  deviceIrq,
  deviceRps,
  interrupts,
  kernelFeature,
  netRxNanoseconds,
  processCpu,
  processLastCpu,
  profilePeriod,
  profileSamples,
  profileSeconds,
  softirqFunctions,
  softnetDropped,
  softnetProcessed,
} from '../metrics/catalogue/index.ts';
import { unlessOn, where } from '../metrics/condition.ts';
import { andOn, either, increase, rate, ratio, renamed, subtract, sumBy, value } from '../metrics/expression.ts';
import { makeRoom, seeDearPackets, spreadPacketWork } from './remedies/irqs.ts';
import { askHypervisor } from './remedies/steal.ts';
import {
  critical,
  deciding,
  decidingList,
  defineRule,
  notMeasured,
  ok,
  optional,
  optionalList,
  warning,
} from './rule.ts';
import { isStarved, netRxShare, thresholds } from './softirq-limits.ts';

const softirqTime = sumBy(['cpu'], rate(cpuSeconds, { mode: interruptModes }));

export const softirqSaturation = defineRule({
  code: 'PKT0102',
  id: 'softirq-saturation',
  role: 'outcome',
  title: 'A CPU is taken up by softirq: it has no time left for packets that arrive, nor for programs',
  scope: ['cpu'],
  watched: { from: { share: 0.1 } },
  signals: {
    // Wall time is the denominator: on idle CPUs with NO_HZ the modes add up to less (kernel/time/tick-sched.c).
    softirq: softirqTime,
    threads: decidingList(rate(processCpu, { role: receivingThreads })),
    lastCpus: decidingList(value(processLastCpu)),
    processed: deciding(rate(softnetProcessed)),
    dropped: deciding(rate(softnetDropped)),
    lossShare: optional(lossShare(rate(softnetDropped), rate(softnetProcessed))),
    idle: deciding(sumBy(['cpu'], rate(cpuSeconds, { mode: ['idle', 'iowait'] }))),
    // What NAPI threads use is in it (net/core/dev.c:napi_threaded_poll).
    system: optional(sumBy(['cpu'], rate(cpuSeconds, { mode: 'system' }))),
    // From the probe, or where it did not time NET_RX from the profile.
    netRx: optional(rate(netRxNanoseconds)),
    receiving: optional(sumBy(['cpu'], increase(profileSamples, { direction: 'receive' }))),
    period: optional(value(profilePeriod)),
    sampled: optional(value(profileSeconds)),
    stolen: optional(sumBy(['cpu'], rate(cpuSeconds, { mode: 'steal' }))),
    runs: optional(sumBy(['cpu'], rate(softirqFunctions, { type: 'NET_RX' }))),
    taken: optionalList(rate(interrupts)),
    irqs: optionalList(value(deviceIrq)),
    rps: optionalList(value(deviceRps)),
    others: optionalList(renamed(softirqTime, 'cpu', 'on')),
    dedicated: optionalList(renamed(sumBy(['cpu'], value(cpuDedicated)), 'cpu', 'on')),
    accounting: optional(value(kernelFeature, { feature: 'irq_time_accounting' })),
    cpus: optional(cpuCount),
  },
  thresholds,
  messages: {
    saturated:
      'CPU {cpu} spends {share:percent} of its time in softirq, interrupts and NAPI threads{threadShare}. Fed by {feeders}.',
    starved:
      'CPU {cpu} has no time left for packets: programs leave softirq and interrupts {share:percent} of it, {idle:percent} is idle, and its ' +
      'backlog drops {dropped:packets} while it takes {packets:packets}. Fed by {feeders}.',
    stolen:
      'CPU {cpu} has no time left for packets: the hypervisor takes {stolen:percent} of it, softirq and interrupts get {share:percent}, {idle:percent} ' +
      'is idle, and its backlog drops {dropped:packets} while it takes {packets:packets}. Fed by {feeders}.',
    dear:
      'CPU {cpu} spends {share:percent} of its time in softirq, interrupts and NAPI threads, {netRx:percent} of that in NET_RX, and receives only {packets:packets}: ' +
      'its packets are expensive{each}. Fed by {feeders}.',
    unseen:
      'CPU {cpu} spends {share:percent} of its time in softirq, interrupts and NAPI threads and runs NET_RX {runs:count} times a second, but only {packets:packets} ' +
      'get into the stack: XDP drops or redirects the others, or it clears away what was sent. Fed by {feeders}.',
    other:
      'CPU {cpu} spends {share:percent} of its time in softirq, interrupts and NAPI threads, but receives only {packets:packets}, and NET_RX takes only ' +
      '{netRx:percent} of that time: timers, block I/O or RCU, not the network, take it.',
    'other-unsure':
      'CPU {cpu} spends {share:percent} of its time in softirq, interrupts and NAPI threads, but receives only {packets:packets}: timers, block I/O or RCU take it, ' +
      'or very expensive packets. What NET_RX takes of it was not measured.',
  },
  alert: {
    differs: {
      threads: 'the time of NAPI threads, which is system time of whatever CPU they run on, is left out',
      profile: 'a server has no profile, which tells of expensive packets where the probe did not time NET_RX',
      ticks: 'a range of minutes holds enough ticks for a share; a short window may not',
    },
    raise: ({ softirq, processed, lossShare, idle, runs, netRx }, limits) => {
      // Few packets, and no runs beyond them: not the network.
      const unseen = where(subtract(runs, processed), '>=', limits.packets);
      const dear = where(ratio(netRx, softirq), '>=', limits.netRx * 1e9);
      const other = unlessOn(['cpu'], unlessOn(['cpu'], where(processed, '<', limits.packets), unseen), dear);
      const drops = where(where(lossShare, '>=', limits.loss), '>', 0);
      const starved = andOn(
        ['cpu'],
        andOn(['cpu'], where(softirq, '>=', limits.starvedShare), where(idle, '<=', limits.spare)),
        andOn(['cpu'], drops, where(processed, '>=', limits.packets)),
      );
      const says = 'The CPU spends {value} of its time in softirq and interrupts';
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
    const { share, threads } = takenOfCpu(read.softirq.value, napi.seconds);
    const starved = share < limits.warningShare && isStarved(read, share, limits);
    if (share < limits.warningShare && !starved) return ok();
    if (!enoughTicks((read.softirq.value + napi.seconds) * at.seconds, read.accounting?.value)) {
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
    const unseen = !seen && (read.runs?.value ?? 0) - packets >= limits.packets;
    const netRx = netRxShare(read, share);
    const dear = !seen && !unseen && netRx !== undefined && netRx >= limits.netRx;
    const network = seen || unseen || dear;
    const stolen = read.stolen?.value ?? 0;
    const byHypervisor = starved && stolen >= 0.5 * (1 - share - (read.idle?.value ?? 0));
    const said = {
      // Where a thread ran last is where most of its time went, not all of it.
      certainty: threads > 0.1 ? 'correlated' : 'measured',
      message: starved
        ? byHypervisor
          ? 'stolen'
          : 'starved'
        : seen
          ? 'saturated'
          : unseen
            ? 'unseen'
            : dear
              ? 'dear'
              : netRx === undefined
                ? 'other-unsure'
                : 'other',
      args: {
        cpu,
        share,
        packets,
        runs: read.runs?.value ?? 0,
        dropped: read.dropped?.value ?? 0,
        idle: read.idle?.value ?? 0,
        stolen,
        netRx: netRx ?? 0,
        each:
          packets > 0 && netRx !== undefined
            ? worded((netRx * share * 1e9) / packets, `, about ${Math.round((netRx * share * 1e6) / packets)} µs each`)
            : '',
        feeders: {
          words: feedersText(feeders, queues, napi.names),
          data: feedersData(feeders, queues, napi.names),
        },
        threadShare: threads >= 0.01 ? worded(threads, `, ${Math.round(threads * 100)}% in the threads alone`) : '',
      },
      evidence: {
        softirq: ['>=', starved ? limits.starvedShare : limits.warningShare],
        ...(starved ? ({ idle: ['<=', limits.spare], dropped: ['>', 0] } as const) : {}),
        processed: null,
        runs: null,
        ...(seen ? {} : ({ netRx: null, receiving: null } as const)),
        ...(byHypervisor ? ({ stolen: null } as const) : {}),
        ...(napi.seconds > 0 ? { threads: null } : {}),
      },
      remedies: [
        ...(byHypervisor ? [askHypervisor] : starved ? [makeRoom(cpu)] : []),
        ...(dear ? [seeDearPackets(cpu)] : []),
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
      impact: ofAllCpuTime(share, read.cpus),
    } as const;
    // Whether it is for packets is known of a CPU whose packets were counted.
    return share >= limits.share && network && !at.unread.has('processed') ? critical(said) : warning(said);
  },
  stands(unread, { softirq, idle, system }, limits) {
    const least = Math.min(system?.value ?? 1, 1 - softirq.value - (idle?.value ?? 0));
    if (unread === 'threads' || unread === 'lastCpus') return softirq.value + least < limits.warningShare;
    if (idle === undefined) return softirq.value < limits.starvedShare;
    return softirq.value < limits.starvedShare || idle.value > limits.spare;
  },
});
