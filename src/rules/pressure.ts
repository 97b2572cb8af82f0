import type { Signal } from '../facts/signal.ts';
import {
  pressureAverage,
  pressureCpuWaiting,
  pressureIoStalled,
  pressureIoWaiting,
  pressureIrqStalled,
  pressureMemoryStalled,
  pressureMemoryWaiting,
} from '../metrics/catalogue/index.ts';
import { where } from '../metrics/condition.ts';
import { either, rate, value } from '../metrics/expression.ts';
import { listed } from './finding.ts';
import { deciding, defineRule, info, list, notMeasured, ok, optionalList, warning } from './rule.ts';

export const pressure = defineRule({
  code: 'PKT0604',
  id: 'pressure',
  role: 'context',
  title: 'Tasks wait for memory, interrupts, I/O or a CPU',
  scope: [],
  watched: { from: { waiting: 0.04 } },
  signals: {
    any: list(either(rate(pressureMemoryWaiting), rate(pressureCpuWaiting))),
    averages: optionalList(value(pressureAverage)),
    memory: deciding(rate(pressureMemoryWaiting)),
    memoryStalled: deciding(rate(pressureMemoryStalled)),
    // Exists only with IRQ_TIME_ACCOUNTING. CPU pressure does not contain what softirq takes.
    irq: deciding(rate(pressureIrqStalled)),
    io: deciding(rate(pressureIoWaiting)),
    ioStalled: deciding(rate(pressureIoStalled)),
    cpu: deciding(rate(pressureCpuWaiting)),
  },
  thresholds: {
    memory: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of the time in which some task waited for memory.',
      source: 'judgement: a healthy host stays near 0',
    },
    memoryStalled: {
      value: 0.05,
      unit: 'ratio',
      help: 'Share of the time in which all tasks waited for memory at once.',
      source: 'judgement; systemd-oomd acts at 60 % over 30 s, when users have long noticed',
    },
    irq: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of the time in which the tasks of a CPU stood still for interrupts.',
      source: 'judgement; kernel/sched/psi.c:psi_account_irqtime',
    },
    io: {
      value: 0.5,
      unit: 'ratio',
      help: 'Share of the time in which some task waited for I/O.',
      source: 'judgement: normal on storage hosts, hence a remark',
    },
    cpu: {
      value: 0.5,
      unit: 'ratio',
      help: 'Share of the time in which some task waited for a CPU.',
      source: 'judgement: normal on a well-used host, hence a remark',
    },
  },
  messages: {
    pressing: 'In this window {what}.',
    averages: 'In the minute before the one sample {what}.',
  },
  alert: {
    raise: ({ memory, memoryStalled, irq }, limits) => ({
      warning: {
        when: either(
          where(memory, '>=', limits.memory),
          either(where(memoryStalled, '>=', limits.memoryStalled), where(irq, '>=', limits.irq)),
        ),
        says: 'Tasks wait for memory, or stand still for interrupts, {value} of the time.',
      },
    }),
  },
  conclude({ averages, ioStalled, ...rates }, limits, at) {
    const average = (resource: string, kind: string): Signal | undefined =>
      averages.find(({ labels }) => labels['resource'] === resource && labels['kind'] === kind);
    // Since boot is too long a time to be of use; the kernel keeps the last minute by itself.
    const { memory, memoryStalled, irq, io, cpu } = at.oneSample
      ? {
          memory: average('memory', 'some'),
          memoryStalled: average('memory', 'full'),
          irq: average('irq', 'full'),
          io: average('io', 'some'),
          cpu: average('cpu', 'some'),
        }
      : rates;
    if (at.oneSample && averages.length === 0)
      return notMeasured('one sample only, and the averages of the kernel are not in it');
    const over = (signal: { readonly value: number } | undefined, limit: number): boolean =>
      signal !== undefined && signal.value >= limit;
    const short = over(memory, limits.memory) || over(memoryStalled, limits.memoryStalled);
    const interrupted = over(irq, limits.irq);
    const said = (value: number | undefined, words: string): string =>
      `${words} for ${Math.round(Math.min(1, value ?? 0) * 100)}% of the time`;
    const what = [
      ...(short ? [said(memory?.value ?? memoryStalled?.value, 'tasks waited for memory')] : []),
      ...(interrupted ? [said(irq?.value, 'the tasks of a CPU stood still for interrupts')] : []),
      ...(over(io, limits.io) ? [said(io?.value, 'tasks waited for I/O')] : []),
      ...(over(cpu, limits.cpu) ? [said(cpu?.value, 'tasks waited for a CPU')] : []),
    ];
    if (what.length === 0) return ok();
    const common = {
      certainty: 'measured',
      message: at.oneSample ? 'averages' : 'pressing',
      args: { what: listed(what), ioStalled: ioStalled?.value ?? 0 },
      evidence: at.oneSample
        ? ({ averages: null } as const)
        : ({
            memory: ['>=', limits.memory],
            memoryStalled: ['>=', limits.memoryStalled],
            irq: ['>=', limits.irq],
            io: ['>=', limits.io],
            cpu: ['>=', limits.cpu],
          } as const),
      remedies: [
        {
          action: short
            ? 'Find the control group that is short of memory: reclaim in the receive path makes packets late and drops them.'
            : 'Find the control group that waits.',
          // irq.pressure has no line `some` (kernel/sched/psi.c:psi_show).
          command:
            !short && interrupted
              ? 'grep -H full /sys/fs/cgroup/*/irq.pressure'
              : `grep -H some /sys/fs/cgroup/*/${short ? 'memory' : over(cpu, limits.cpu) ? 'cpu' : 'io'}.pressure`,
          verify: 'grep -H . /proc/pressure/*',
        },
      ],
    } as const;
    // Memory and interrupt pressure hurt the packet path itself; the other two are how the programs fare.
    return short || interrupted ? warning(common) : info(common);
  },
});
