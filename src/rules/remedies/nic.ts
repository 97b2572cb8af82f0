import type { Feeder } from '../../facts/packet-cpus.ts';
import { OWN_NETNS } from '../../metrics/snapshot.ts';
import type { Advice } from '../finding.ts';
import { keepingBefore } from './setting.ts';
import { inNetns, shellQuote } from './shell.ts';

/** Frames that a ring has room for, and can be given room for. */
export interface Ring {
  readonly frames: number;
  readonly most: number;
}

/** What is known of a card besides that it lost frames. */
interface Card {
  /** What the driver calls such losses in `ethtool -S`, as an extended regular expression. */
  readonly names?: string | undefined;
  readonly size?: Ring | undefined;
}

/** The same of a card in another namespace, of which neither the ring nor the interrupts are known. */
export function enlargeRingIn(netns: string, device: string, names: string | undefined): Advice[] {
  const name = shellQuote(device);
  return [
    {
      action: `Give the receive ring of ${device} as many frames as its driver allows: RX below "Pre-set maximums" is the most, and \`ethtool -G ${name} rx FRAMES\` sets it. ${RESETS}`,
      command: inNetns(netns, `ethtool -g ${name}`),
      verify: inNetns(netns, `ip -s -s link show dev ${name}`),
    },
    ...countersOf(netns, device, names),
  ];
}

function countersOf(netns: string, device: string, names: string | undefined): Advice[] {
  if (names === undefined) return [];
  const look = `ethtool -S ${shellQuote(device)} | grep -E ${shellQuote(`^ *(${names}):`)}`;
  return [
    {
      action: `See in the counters of the driver of ${device} what was lost: by its ring, by the card itself, or for want of memory.`,
      command: inNetns(netns, look),
    },
  ];
}

/** A larger ring bridges bursts; where the CPU behind it is saturated, it would only delay the loss and is no advice. */
export function enlargeRing(
  device: string,
  feeders: readonly Feeder[],
  hot: readonly string[],
  { names, size }: Card = {},
): Advice[] {
  const name = shellQuote(device);
  // Drivers differ in which of these they count it.
  const verify = `for i in 1 2; do (cd /sys/class/net/${name}/statistics && grep . rx_missed_errors rx_fifo_errors rx_dropped); sleep 10; done`;
  const ring = ringRemedy(device, size, verify);
  const counters = countersOf(OWN_NETNS, device, names);
  if (hot.length === 0) return [ring, ...counters];
  const irqs = [...new Set(feeders.map(({ irq }) => irq))].slice(0, 4).join(', ');
  return [
    {
      action: `Relieve CPU ${hot.join(', ')} first (PKT0102, and PKT0101 for taps): spread ${irqs === '' ? 'the queues' : `IRQ ${irqs}`} of ${device} over more queues and CPUs.`,
      command: `ethtool -l ${name}; ethtool -x ${name}; grep -H . /proc/irq/*/effective_affinity_list`,
      verify,
    },
    ...counters,
  ];
}

const RESETS = 'This resets its queues for a moment, on some drivers the link.';

function ringRemedy(device: string, size: Ring | undefined, verify: string): Advice {
  const name = shellQuote(device);
  // Of the two lines RX: of ethtool -g the first is the most there can be, the second what there is.
  const undo = `ethtool -g ${name} | awk '/^RX:/ { now = $2 } END { print "ethtool -G ${name} rx " now }'`;
  if (size === undefined || size.most === 0)
    return {
      action: `Raise the receive ring of ${device} to the maximum its driver allows. ${RESETS}`,
      ...keepingBefore('ring', undo, `ethtool -G ${name} rx "$(ethtool -g ${name} | awk '/^RX:/ { print $2; exit }')"`),
      verify,
    };
  if (size.frames < size.most)
    return {
      action: `Raise the receive ring of ${device} from ${size.frames} to ${size.most} frames, the most its driver allows. ${RESETS}`,
      ...keepingBefore('ring', undo, `ethtool -G ${name} rx ${size.most}`),
      verify,
    };
  return {
    action: `The receive ring of ${device} is as large as its driver allows (${size.most} frames): let more queues and CPUs empty it.`,
    command: `ethtool -l ${name}; ethtool -x ${name}`,
    verify,
  };
}
