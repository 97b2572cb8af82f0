import type { Feeder } from '../facts/packet-cpus.ts';
import type { Remedy } from '../finding.ts';
import { shellQuote } from './shell.ts';

/** A larger ring bridges bursts; where the CPU behind it is saturated, that CPU comes first. */
export function enlargeRing(device: string, feeders: readonly Feeder[], hot: readonly string[]): Remedy[] {
  const name = shellQuote(device);
  const verify = `cat /sys/class/net/${name}/statistics/rx_missed_errors; sleep 10; cat /sys/class/net/${name}/statistics/rx_missed_errors`;
  const ring: Remedy = {
    action: `Raise the receive ring of ${device} to the maximum its driver allows. This resets its queues for a moment, on some drivers the link.`,
    command: `ethtool -g ${name}; ethtool -G ${name} rx "$(ethtool -g ${name} | awk '/^RX:/ { print $2; exit }')"`,
    verify,
  };
  if (hot.length === 0) return [ring];
  const irqs = [...new Set(feeders.map(({ irq }) => irq))].slice(0, 4).join(', ');
  return [
    {
      action: `Relieve CPU ${hot.join(', ')} first (PKT0102, and PKT0101 for taps): spread ${irqs === '' ? 'the queues' : `IRQ ${irqs}`} of ${device} over more queues and CPUs.`,
      command: `ethtool -l ${name}; ethtool -x ${name}; grep -H . /proc/irq/*/effective_affinity_list`,
      verify,
    },
    ring,
  ];
}
