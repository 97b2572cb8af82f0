import type { Advice } from '../finding.ts';
import { shared } from '../shared-limits.ts';
import { setSysctl } from './setting.ts';

/** Twice, ten seconds apart: of each CPU, in hexadecimal, what its backlog dropped. */
const VERIFY_BACKLOG = "for i in 1 2; do cut -d' ' -f2 /proc/net/softnet_stat | xargs; sleep 10; done";
/** The same of the runs that ended with work left. */
const VERIFY_SQUEEZED = "for i in 1 2; do cut -d' ' -f3 /proc/net/softnet_stat | xargs; sleep 10; done";
/** Time a burst may last that the queue should bridge. */
const BURST_SECONDS = 0.01;

interface Backlog {
  readonly cpu: string;
  readonly limit: number | undefined;
  /** Packets queued to this CPU per second, dropped ones included. */
  readonly perSecond: number;
  readonly softirq: number | undefined;
  /** Whether the CPU has time to spare. */
  readonly idle: boolean;
  readonly byFlow: boolean;
}

/** Sizes the backlog for 10 ms of what arrives, at least doubled; never the first advice for a CPU without time left. */
export function raiseNetdevBacklog({ cpu, limit, perSecond, softirq = 0, idle, byFlow }: Backlog): Advice[] {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max((limit ?? 1000) * 2, perSecond * BURST_SECONDS)));
  const larger: Advice = {
    action: `Let each CPU queue ${wanted} packets${limit === undefined ? '' : ` instead of ${limit}`}: room for bursts. It applies to RPS, veth, tun and loopback, not to NIC rings.`,
    // Where the present limit is not known, it may be higher than that.
    ...setSysctl([{ name: 'net.core.netdev_max_backlog', value: wanted, before: limit }]),
    verify: VERIFY_BACKLOG,
  };
  const spread: Advice = {
    action: `CPU ${cpu} has no time left: a longer queue would make its packets later, not fewer. Spread them over more CPUs with RPS (rps_cpus of the device that brings them), and look at PKT0101 and PKT0102.`,
    command: 'grep -H . /sys/class/net/*/queues/rx-*/rps_cpus',
    verify: VERIFY_BACKLOG,
  };
  const flows: Advice = {
    action:
      'The flow limit protects small flows from one large one: leave it on unless that flow is the one that matters.',
    command: 'sysctl net.core.flow_limit_cpu_bitmap net.core.flow_limit_table_len',
    verify: VERIFY_BACKLOG,
  };
  if (byFlow) return [flows, larger];
  return softirq >= shared.shortOfTime || !idle ? [spread] : [larger];
}

/** Doubles what is known; two jiffies of time are 2 ms at HZ=1000 and 8 ms at HZ=250, so that a guess could halve it. */
export function raiseBudget(budget: number | undefined, usecs: number | undefined): Advice[] {
  const settings = [
    ...(budget === undefined ? [] : [{ name: 'net.core.netdev_budget', value: budget * 2, before: budget }]),
    ...(usecs === undefined ? [] : [{ name: 'net.core.netdev_budget_usecs', value: usecs * 2, before: usecs }]),
  ];
  return [
    {
      action:
        'Let one softirq run receive more packets and longer. Programs on the CPU wait longer for it; without drops it is no cure for anything.',
      ...(settings.length > 0
        ? setSysctl(settings)
        : { command: 'sysctl net.core.netdev_budget net.core.netdev_budget_usecs' }),
      verify: VERIFY_SQUEEZED,
    },
  ];
}
