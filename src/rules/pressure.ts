import {
  pressureCpuWaiting,
  pressureIoStalled,
  pressureIoWaiting,
  pressureIrqStalled,
  pressureMemoryStalled,
  pressureMemoryWaiting,
} from '../metrics/catalogue/index.ts';
import { where } from '../metrics/condition.ts';
import { either, rate } from '../metrics/expression.ts';
import { defineRule, info, list, ok, optional, warning } from './rule.ts';
import { thresholds } from './thresholds.ts';

export const pressure = defineRule({
  code: 'PKT0604',
  id: 'pressure',
  role: 'context',
  title: 'Tasks wait for memory, interrupts, I/O or a CPU',
  seed: '§3.11',
  scope: [],
  signals: {
    any: list(either(rate(pressureMemoryWaiting), rate(pressureCpuWaiting))),
    memory: optional(rate(pressureMemoryWaiting)),
    memoryStalled: optional(rate(pressureMemoryStalled)),
    // Exists only with IRQ_TIME_ACCOUNTING. CPU pressure does not contain what softirq takes.
    irq: optional(rate(pressureIrqStalled)),
    io: optional(rate(pressureIoWaiting)),
    ioStalled: optional(rate(pressureIoStalled)),
    cpu: optional(rate(pressureCpuWaiting)),
  },
  thresholds: thresholds.PKT0604,
  messages: {
    pressing: 'In this window {what}.',
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
  conclude({ memory, memoryStalled, irq, io, ioStalled, cpu }, limits) {
    const over = (signal: { readonly value: number } | undefined, limit: number): boolean =>
      signal !== undefined && signal.value >= limit;
    const short = over(memory, limits.memory) || over(memoryStalled, limits.memoryStalled);
    const interrupted = over(irq, limits.irq);
    const said = (value: number | undefined, words: string): string =>
      `${words} for ${Math.round(Math.min(1, value ?? 0) * 100)} % of the time`;
    const what = [
      ...(short ? [said(memory?.value ?? memoryStalled?.value, 'tasks waited for memory')] : []),
      ...(interrupted ? [said(irq?.value, 'the tasks of a CPU stood still for interrupts')] : []),
      ...(over(io, limits.io) ? [said(io?.value, 'tasks waited for I/O')] : []),
      ...(over(cpu, limits.cpu) ? [said(cpu?.value, 'tasks waited for a CPU')] : []),
    ];
    if (what.length === 0) return ok();
    const common = {
      certainty: 'measured',
      message: 'pressing',
      args: { what: what.join(', '), ioStalled: ioStalled?.value ?? 0 },
      evidence: {
        memory: ['>=', limits.memory],
        memoryStalled: ['>=', limits.memoryStalled],
        irq: ['>=', limits.irq],
        io: ['>=', limits.io],
        cpu: ['>=', limits.cpu],
      },
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
