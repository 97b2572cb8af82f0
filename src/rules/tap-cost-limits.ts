/** The limits of PKT0101. */
import type { PriceLimits } from '../facts/price.ts';
import type { Limits, Overrides, Thresholds } from './rule.ts';
import { shared } from './shared-limits.ts';

export const thresholds = {
  busy: {
    value: shared.idleDevice,
    unit: 'per second',
    help: 'Packets per second on a device below which a tap costs nothing worth naming.',
    source:
      'measured: the dearest taps (three captures of TCP bulk, 19 µs a packet) take 1 % of a CPU at 526 packets/s',
  },
  samples: {
    value: 50,
    unit: 'packets',
    help: 'Measured packets below which the mean of the tap span is not taken for a price.',
    source: 'judgement: the standard error of the mean is then about a seventh of the spread',
  },
  lost: {
    value: shared.mostlyLost,
    unit: 'ratio',
    help: 'Share of the samples begun that were lost, from which those that are left are not taken for the whole.',
    source: 'judgement: packets lose their stamp by what happens to them (a clone, another device), not by chance',
  },
  nanoseconds: {
    value: 250,
    unit: 'nanoseconds',
    help: 'Price of the taps per packet from which it can be worth a warning; the median packet has to pay it as well.',
    source:
      'measured: a tap whose filter rejects costs 130-340 ns in the mean and up to 200 ns in the median at load averages ' +
      'of 2 to 10, one tcpdump 540-1,120 ns and at least 520 ns',
  },
  uneven: {
    value: 500,
    unit: 'nanoseconds',
    help: 'Price that is enough though the median packet pays less: a filter takes some packets. Less two standard errors.',
    source:
      'measured: interrupts within the span moved the mean by up to 150 ns (a stall of 3 ms by 440 ns, at an error of as much)',
  },
  sentNanoseconds: {
    value: 180,
    unit: 'nanoseconds',
    help: 'Price of the taps per packet sent, in the median, from which it can be worth a warning.',
    source:
      'measured: a tap whose filter rejects costs 130-150 ns here, one tcpdump 220-280 ns on a quiet machine, two 400-430 ns',
  },
  share: {
    value: 0.1,
    unit: 'ratio',
    help: 'Share of the cost of receiving a packet that the taps take, from which it is a warning.',
    source:
      'judgement: a CPU without them carries a ninth more packets. One tcpdump takes 10-26 % here; at 15 % a third of ' +
      'them would be missed',
  },
  cpu: {
    value: 0.01,
    unit: 'ratio',
    help: 'CPU time the taps burn, in CPUs, from which they are material.',
    source: 'judgement: 1 % of one CPU, the budget pktcost allows itself',
  },
  minorShare: {
    value: 0.05,
    unit: 'ratio',
    help: 'Share of the cost of a packet below which taps are called negligible.',
    source: 'judgement: within what the span and its floor can tell apart',
  },
  criticalShare: {
    value: 0.3,
    unit: 'ratio',
    help: 'Share of the cost of a packet from which taps that also burn much CPU, or meet drops, are critical.',
    source: 'judgement: a CPU without them carries over 40 % more packets',
  },
  criticalCpu: {
    value: 0.2,
    unit: 'ratio',
    help: 'CPU time the taps burn, in CPUs, from which a critical share is critical without drops.',
    source: 'judgement: a fifth of a core',
  },
  hot: {
    value: shared.shortOfTime,
    unit: 'ratio',
    help: 'Share of its time that a CPU spends in softirq, interrupts and NAPI threads from which it is short of room.',
    source: 'the warning level of PKT0102',
  },
  spare: {
    value: shared.spare,
    unit: 'ratio',
    help: 'Share of its time a CPU may be idle and still count as short of time where the taps take criticalCpu of it.',
    source: 'judgement: with more to spare a program waits for its turn only in bursts',
  },
  loss: {
    value: shared.lossNoticed,
    unit: 'ratio',
    help: 'Packets lost in NIC ring or backlog relative to those received from which a loss counts.',
    source: 'the warning level of PKT0501 and PKT0502',
  },
  dominant: {
    value: 0.1,
    unit: 'ratio',
    help: "Share of the host's packets a device must carry before the cost of the host is put down to it.",
    source: 'judgement: less cannot be the cause of a busy CPU',
  },
  rise: {
    value: 1.5,
    unit: 'ratio',
    help: 'Softirq time per packet relative to the baseline from which it has risen.',
    source: 'judgement: more than a change of packet sizes does',
  },
  dearest: {
    value: 25000,
    unit: 'nanoseconds',
    help: 'Price per packet and tap above which it is not believed: something else ran within the span.',
    source:
      'measured: a capture that copies skbs of 64 KB takes 6 to 7 µs; spans of 28 to 65 µs were of a CPU taken up by rules',
  },
  dear: {
    value: 20000,
    unit: 'nanoseconds',
    help: 'NET_RX time per packet, per frame where GRO merges, from which receiving is called expensive whatever the CPUs do.',
    source: 'measured: an untapped packet costs 1-3 µs, an skb of 64 KB that came as one frame up to 10 µs',
  },
} as const satisfies Thresholds;

/** The limits by which the taps have a price, for whoever else shows one. */
export function priceLimits(overrides: Overrides = {}): PriceLimits {
  const limit = (name: keyof PriceLimits): number => overrides['PKT0101']?.[name] ?? thresholds[name].value;
  return { samples: limit('samples'), lost: limit('lost'), dearest: limit('dearest') };
}

export type TapLimits = Limits<typeof thresholds>;
