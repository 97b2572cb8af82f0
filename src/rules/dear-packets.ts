import { worded } from './finding.ts';
import { ofAllCpuTime } from '../facts/cpu-time.ts';
import { ownerOfPart, unsampledCpus } from '../facts/path-cost.ts';
import { tooFewPackets } from '../facts/price.ts';
import { totalOf, type Signal } from '../facts/signal.ts';
import { deviceKey } from '../facts/spans.ts';
import { profileDeviceSamples, receivePackets, spanPackets, spanUnmarked } from '../metrics/catalogue/index.ts';
import { acrossNetns, everywhere, increase, rate, sumBy, value } from '../metrics/expression.ts';
import { needsProfile, partsArgument, partsText, pathSignals, VERIFY } from './path-parts.ts';
import { deciding, decidingList, defineRule, info, notMeasured, ok, warning } from './rule.ts';

/** Owners that have a rule of their own, which then says more. */
const TOLD = new Set(['packet-sockets', 'bpf-programs', 'netfilter', 'tc', 'virtual-device', 'tunnel', 'tracing']);
const OWN = 'self';

export const dearPackets = defineRule({
  code: 'PKT0115',
  id: 'dear-packets',
  role: 'cause',
  title: 'Received packets are expensive',
  scope: [],
  signals: {
    ...pathSignals,
    byDevice: decidingList(
      everywhere(sumBy(['device', 'part'], increase(profileDeviceSamples, { direction: 'receive' }))),
    ),
    skbs: decidingList(everywhere(rate(spanPackets))),
    unmarked: decidingList(everywhere(value(spanUnmarked))),
    frames: decidingList(everywhere(rate(receivePackets))),
    received: deciding(sumBy([], acrossNetns(rate(receivePackets)))),
  },
  thresholds: {
    dear: {
      value: 15000,
      unit: 'nanoseconds',
      help: 'Time that a received packet takes, per frame where GRO merges, from which it is expensive whatever it does.',
      source: 'measured: an untapped packet costs 1 to 3 µs, an skb of 64 KB that came as one frame up to 10 µs',
    },
    cpu: {
      value: 0.05,
      unit: 'ratio',
      help: 'CPU time that the packets take, in CPUs, below which it is not material.',
      source: 'judgement: a twentieth of a CPU; less makes nobody wait',
    },
    samples: {
      value: 100,
      unit: 'number',
      help: 'Samples below which nothing is said of a device.',
      source: 'the profile: a share of 20 % is then known to 8 points',
    },
  },
  messages: {
    device:
      'A packet that {device} receives takes {ns:ns}, {cpu:percent} of a CPU at {packets:packets}. Largest parts: {parts}{other}.',
    host: 'A received packet takes {ns:ns}, {cpu:percent} of a CPU at {packets:packets}. Largest parts: {parts}{other}.',
  },
  alert: needsProfile,
  conclude(read, limits) {
    const seconds = read.sampled.value;
    if (seconds <= 0) return notMeasured('the profile did not sample: the window ended before it began');
    const host = costOf(
      read.samples.filter(({ labels }) => labels['direction'] === 'receive'),
      read.processed === undefined || read.received === undefined
        ? 0
        : Math.max(read.processed.value, read.received.value),
      read.period.value / seconds,
      seconds,
    );
    const unwatched = Math.max(0, (read.processed?.value ?? 0) - totalOf(read.skbs));
    // A device's samples end where the next watched packet comes: between them may be those of devices that nobody watches.
    const devices = [...groups(read.byDevice)]
      .filter(([key]) => unwatched <= (valueOf(read.skbs, key) ?? 0))
      .map(([key, samples]) => {
        const marked = seconds * (1 - (valueOf(read.unmarked, key) ?? 0));
        const packets = framesOr(valueOf(read.skbs, key), valueOf(read.frames, key));
        return {
          labels: samples[0]!.labels,
          untold: marked <= 0 || valueOf(read.unmarked, key) === undefined,
          ...costOf(samples, packets, marked <= 0 ? 0 : read.period.value / marked, seconds),
        };
      });
    const isDear = ({ samples, cpu, ns }: PacketPrice): boolean =>
      samples >= limits.samples && cpu >= limits.cpu && ns !== undefined && ns >= limits.dear;
    const [device] = devices.filter(isDear).sort((a, b) => b.cpu - a.cpu);
    const found = device ?? (isDear(host) ? host : undefined);
    if (found?.ns === undefined) {
      const maybe = [...devices, host].filter(({ ns, cpu }) => cpu >= limits.cpu && (ns ?? limits.dear) >= limits.dear);
      if (maybe.some(({ samples }) => samples < limits.samples))
        return notMeasured(
          `packets may be expensive, but fewer than ${limits.samples} samples say so: a longer window gives more`,
        );
      const few = maybe.find((price) => price.few !== undefined)?.few;
      if (few !== undefined) return notMeasured(`packets may be expensive, but there were ${few}`);
      if (devices.some(({ untold }) => untold))
        return notMeasured('for how long samples were of a device is not known');
      const partial = unsampledCpus(read.clocks);
      return partial === undefined ? ok() : notMeasured(partial);
    }
    const { cpu, ns, packets, shares } = found;
    const [largest] = shares;
    const told = largest !== undefined && TOLD.has(ownerOfPart(largest[0]) ?? '') && largest[1] >= 0.25;
    const { device: name = '', netns = '' } = device?.labels ?? {};
    const where = `${name}${netns === '' ? '' : ` in namespace ${netns}`}`;
    const said = {
      certainty: 'measured',
      message: device === undefined ? 'host' : 'device',
      args: {
        ns,
        cpu,
        packets,
        parts: partsArgument(shares, 4),
        other: told ? worded(told, '; the first of them has a finding of its own') : '',
        ...(device === undefined ? {} : { device: where }),
      },
      evidence: { samples: null, byDevice: null, skbs: null, processed: null },
      remedies: [
        {
          action: told
            ? `What makes them expensive is named: ${partsText(shares, 1)}. See the finding about it.`
            : 'Look at the stacks below the largest part; that they are expensive is measured, why is not.',
          command:
            'pktcost record --window 30s --bundle /tmp/pktcost.tar.gz && pktcost replay /tmp/pktcost.tar.gz --format folded --fail-on never',
          verify: VERIFY,
        },
      ],
      impact: ofAllCpuTime(cpu, read.cpus),
      place: device === undefined ? {} : { device: name, netns },
    } as const;
    return told ? info(said) : warning(said);
  },
});

interface PacketPrice {
  readonly samples: number;
  readonly cpu: number;
  readonly packets: number;
  readonly ns: number | undefined;
  /** Why there is no price, where it is for want of packets. */
  readonly few: string | undefined;
  readonly shares: readonly (readonly [part: string, share: number])[];
}

function costOf(found: readonly Signal[], packets: number, cpuPerSample: number, seconds: number): PacketPrice {
  const own = found.filter(({ labels }) => labels['part'] !== OWN);
  const samples = own.reduce((sum, { value }) => sum + value, 0);
  const cpu = samples * cpuPerSample;
  const few = packets > 0 ? tooFewPackets(packets * seconds) : undefined;
  return {
    samples,
    cpu,
    packets,
    ns: packets > 0 && few === undefined ? (cpu * 1e9) / packets : undefined,
    few,
    shares: own
      .map(({ labels, value }) => [labels['part'] ?? '', value / Math.max(samples, 1)] as const)
      .sort(([, a], [, b]) => b - a),
  };
}

function groups(signals: readonly Signal[]): ReadonlyMap<string, readonly Signal[]> {
  const found = new Map<string, Signal[]>();
  for (const signal of signals) {
    const key = deviceKey(signal.labels);
    const group = found.get(key);
    if (group === undefined) found.set(key, [signal]);
    else group.push(signal);
  }
  return found;
}

function valueOf(signals: readonly Signal[], key: string): number | undefined {
  return signals.find(({ labels }) => deviceKey(labels) === key)?.value;
}

/** What GRO merges is told by frames: without them 64 KB that came as one frame would be dear. */
function framesOr(skbs: number | undefined, frames: number | undefined): number {
  return skbs === undefined || frames === undefined ? 0 : Math.max(skbs, frames);
}
