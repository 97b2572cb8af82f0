import { interruptModes, takenOfCpu } from '../facts/interrupt-time.ts';
import { formatCpuList } from '../base/cpu-list.ts';
import { feedersData, feedersText, irqsOn, napiTimeOn, receivingThreads, rpsOn } from '../facts/packet-cpus.ts';
import {
  cpuDedicated,
  cpuIsolated,
  cpuSeconds,
  deviceIrq,
  deviceRps,
  interrupts,
  processCpu,
  processLastCpu,
  softirqFunctions,
  softnetProcessed,
} from '../metrics/catalogue/index.ts';
import { where } from '../metrics/condition.ts';
import { andOn, either, rate, renamed, sumBy, value } from '../metrics/expression.ts';
import { listed } from './finding.ts';
import { keepOff } from './remedies/irqs.ts';
import { critical, defineRule, ok, optional, optionalList, warning } from './rule.ts';

const setApart = either(sumBy(['cpu'], value(cpuDedicated)), sumBy(['cpu'], value(cpuIsolated)));

export const isolatedCpuPacketWork = defineRule({
  code: 'PKT0103',
  id: 'isolated-cpu-packet-work',
  role: 'cause',
  title: 'A CPU that was set apart receives packets for the kernel',
  scope: ['cpu'],
  none: 'no CPU is set apart (isolcpus, nohz_full, isolated cpuset)',
  watched: { from: { packetsPerSecond: 50 } },
  signals: {
    // An absolute rate: a poll-mode core is all user time, so that its softirq share stays small when it hurts.
    packets: andOn(['cpu'], rate(softnetProcessed), setApart),
    by: optionalList(value(cpuDedicated)),
    runs: optional(sumBy(['cpu'], rate(softirqFunctions, { type: 'NET_RX' }))),
    softirq: optional(sumBy(['cpu'], rate(cpuSeconds, { mode: interruptModes }))),
    taken: optionalList(rate(interrupts)),
    irqs: optionalList(value(deviceIrq)),
    rps: optionalList(value(deviceRps)),
    // Their time is system time, not softirq (net/core/dev.c:napi_threaded_poll).
    threads: optionalList(rate(processCpu, { role: receivingThreads })),
    lastCpus: optionalList(value(processLastCpu)),
    allCpus: optionalList(renamed(sumBy(['cpu'], rate(cpuSeconds)), 'cpu', 'on')),
    dedicated: optionalList(renamed(setApart, 'cpu', 'on')),
  },
  thresholds: {
    packets: {
      value: 100,
      unit: 'per second',
      help: 'Packets per second received on a CPU that was set apart, from which it is a warning.',
      source: 'judgement: each interrupts a polling thread for microseconds; housekeeping traffic stays below',
    },
    share: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of its time such a CPU loses to interrupts and softirq from which it is critical.',
      source: 'judgement: a poll-mode core sized for its line rate has less to spare',
    },
  },
  messages: {
    disturbed:
      'CPU {cpu} is set apart{by} and yet receives {packets:packets} for the kernel. Fed by {feeders}. Housekeeping CPUs: ' +
      '{housekeeping}.',
  },
  alert: {
    differs: { threads: 'the time of NAPI threads, which is system time of whatever CPU they run on, is left out' },
    raise: ({ packets, softirq }, limits) => {
      const busy = where(packets, '>=', limits.packets);
      const says = 'A CPU that is set apart receives packets, {value}';
      return {
        critical: {
          when: andOn(['cpu'], busy, where(softirq, '>=', limits.share)),
          says: `${says}, and loses much of its time to them.`,
        },
        warning: { when: busy, says: `${says}.` },
      };
    },
  },
  conclude(read, limits, at) {
    if (read.packets.value < limits.packets) return ok();
    const cpu = at.labels['cpu'] ?? '';
    const apart = new Set(read.dedicated.map(({ labels }) => labels['on']));
    const housekeeping = read.allCpus
      .map(({ labels }) => labels['on'] ?? '')
      .filter((each) => !apart.has(each))
      .map(Number);
    const feeders = irqsOn(read.taken, read.irqs);
    const queues = rpsOn(cpu, read.rps);
    const napi = napiTimeOn(cpu, read.threads, read.lastCpus);
    const by = [...new Set(read.by.map(({ labels }) => labels['by'] ?? ''))];
    const said = {
      certainty: 'measured',
      message: 'disturbed',
      args: {
        cpu,
        by: listed(by, by.length > 0 ? ` (${by.join(', ')})` : ''),
        packets: read.packets.value,
        feeders: {
          words: feedersText(feeders, queues, napi.names),
          data: feedersData(feeders, queues, napi.names),
        },
        housekeeping: listed(housekeeping, formatCpuList(housekeeping)),
      },
      evidence: {
        packets: ['>=', limits.packets],
        runs: null,
        softirq: ['>=', limits.share],
        ...(napi.seconds > 0 ? { threads: null } : {}),
      },
      remedies: keepOff({ cpu, feeders, queues, threads: napi.pids, housekeeping }),
    } as const;
    return takenOfCpu(read.softirq?.value ?? 0, napi.seconds).share >= limits.share ? critical(said) : warning(said);
  },
});
