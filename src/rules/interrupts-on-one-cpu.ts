import { interruptModes } from '../facts/interrupt-time.ts';
import { cpuSeconds, deviceIrq, interrupts, receivePackets } from '../metrics/catalogue/index.ts';
import { rate, sumBy, value } from '../metrics/expression.ts';
import { VERIFY } from './path-parts.ts';
import { writeFiles } from './remedies/setting.ts';
import { shellQuote } from './remedies/shell.ts';
import { decidingList, defineRule, list, ok, warning } from './rule.ts';

export const interruptsOnOneCpu = defineRule({
  code: 'PKT0114',
  id: 'interrupts-on-one-cpu',
  role: 'cause',
  title: 'All interrupts of a network card come to one CPU',
  scope: ['device'],
  none: 'no network card with interrupts of its own',
  watched: { from: { packetsPerSecond: 5000 } },
  signals: {
    irqs: list(value(deviceIrq)),
    frames: rate(receivePackets),
    taken: list(sumBy(['cpu', 'type'], rate(interrupts))),
    softirq: decidingList(sumBy(['cpu'], rate(cpuSeconds, { mode: interruptModes }))),
  },
  thresholds: {
    busy: {
      value: 20000,
      unit: 'per second',
      help: 'Frames per second below which one CPU is enough.',
      source: 'judgement: a CPU takes several hundred thousand',
    },
    interrupts: {
      value: 100,
      unit: 'per second',
      help: 'Interrupts per second of the card below which nothing can be said of where they go.',
      source: 'judgement: a card that is polled without rest raises next to none',
    },
    share: {
      value: 0.95,
      unit: 'ratio',
      help: 'Share of the interrupts that one CPU takes, from which it takes them all.',
      source: 'judgement: the others have stray ones',
    },
    softirq: {
      value: 0.5,
      unit: 'ratio',
      help: 'Share of its time that this CPU spends in softirq and interrupts, below which it has room.',
      source: 'judgement: below the warning level of PKT0102, so that it is told before it is too late',
    },
    idle: {
      value: 0.2,
      unit: 'ratio',
      help: 'Share of its time in softirq and interrupts of the next busiest CPU above which the work is spread after all, by RPS or by other cards.',
      source: 'judgement: less than half of what the one CPU has',
    },
  },
  messages: {
    one:
      'CPU {cpu} takes {share:percent} of the interrupts of {device} ({queues:count} queues) and spends {softirq:percent} of its ' +
      'time in softirq and interrupts; no other CPU spends more than {next:percent}.',
  },
  alert: { none: 'which interrupts are those of a card is known on the host only' },
  conclude({ irqs, frames, taken, softirq }, limits, at) {
    const { device = '' } = at.labels;
    const own = new Set(irqs.map(({ labels }) => labels['type']));
    const byCpu = new Map<string, number>();
    for (const { labels, value: count } of taken)
      if (own.has(labels['type'])) byCpu.set(labels['cpu'] ?? '', (byCpu.get(labels['cpu'] ?? '') ?? 0) + count);
    const all = [...byCpu.values()].reduce((sum, count) => sum + count, 0);
    const [busiest] = [...byCpu].sort(([, a], [, b]) => b - a);
    if (busiest === undefined || frames.value < limits.busy || all < limits.interrupts || softirq.length < 2)
      return ok();
    const [cpu, count] = busiest;
    const mine = softirq.find(({ labels }) => labels['cpu'] === cpu)?.value ?? 0;
    const next = Math.max(0, ...softirq.filter(({ labels }) => labels['cpu'] !== cpu).map(({ value: share }) => share));
    if (count / all < limits.share || mine < limits.softirq || next > limits.idle) return ok();
    const dev = shellQuote(device);
    return warning({
      // Another CPU, of which nothing is known, may be as busy.
      certainty: at.partly.has('softirq') || at.partly.has('taken') ? 'possible' : 'measured',
      message: 'one',
      args: { cpu, device, share: count / all, queues: irqs.length, softirq: mine, next },
      evidence: { frames: ['>=', limits.busy], irqs: null, softirq: ['>=', limits.softirq] },
      remedies: [
        irqs.length > 1
          ? {
              action: `Spread the ${irqs.length} interrupts of ${device} over CPUs of its node: start irqbalance, or set each affinity by hand.`,
              command: `grep -H . /proc/irq/*/smp_affinity_list | head; systemctl status irqbalance`,
              verify: VERIFY,
            }
          : {
              action: `${device} has one queue in use: give it more, or let RPS hand packets to other CPUs.`,
              ...writeFiles('rps', [[`/sys/class/net/${dev}/queues/rx-0/rps_cpus`, 'MASK']]),
              verify: VERIFY,
            },
      ],
      place: { cpus: [cpu] },
    });
  },
});
