import { worded } from './finding.ts';
import { ofAllCpuTime } from '../facts/cpu-time.ts';
import {
  dearDeviceCosts,
  devicePrices,
  hostPrice,
  type DevicePrice,
  type DeviceReadings,
  type PacketPrice,
} from '../facts/device-cost.ts';
import {
  dearest,
  deviceWords,
  ownerOfPart,
  pathCosts,
  unsampledCpus,
  type ProfileReadings,
} from '../facts/path-cost.ts';
import { needsProfile, ofDevices, partsArgument, partsText, pathSignals, VERIFY } from './path-parts.ts';
import { deciding, decidingList, defineRule, info, notMeasured, ok, warning } from './rule.ts';

/** Owners that have a rule of their own, which then says more. */
const TOLD = new Set(['packet-sockets', 'bpf-programs', 'netfilter', 'tc', 'virtual-device', 'tunnel', 'tracing']);
/** What such rules ask for at most. */
const ASKED = { share: 0.3, nanoseconds: 1000, criticalShare: 1, criticalCpu: 1 };

export const dearPackets = defineRule({
  code: 'PKT0115',
  id: 'dear-packets',
  role: 'cause',
  title: 'Received packets are expensive',
  scope: [],
  signals: {
    ...pathSignals,
    byDevice: decidingList(ofDevices.byDevice),
    skbs: decidingList(ofDevices.skbs),
    unmarked: decidingList(ofDevices.unmarked),
    frames: decidingList(ofDevices.frames),
    received: deciding(ofDevices.received),
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
    const host = hostPrice(read);
    const devices = devicePrices(read);
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
    const { cpu, ns, packets, parts } = found;
    const { device: name = '', netns = '' } = device?.labels ?? {};
    const told = hasOwnFinding(read, device, parts[0]?.[0], limits.cpu);
    const said = {
      certainty: 'measured',
      message: device === undefined ? 'host' : 'device',
      args: {
        ns,
        cpu,
        packets,
        parts: partsArgument(parts, 4),
        other: told ? worded(told, '; the first of them has a finding of its own') : '',
        ...(device === undefined ? {} : { device: deviceWords({ device: name, netns }) }),
      },
      evidence: { samples: null, byDevice: null, skbs: null, processed: null },
      remedies: [
        {
          action: told
            ? `What makes them expensive is named: ${partsText(parts, 1)}. See the finding about it.`
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

/** Whether the rule of the largest part has a finding: as those rules judge, by all packets or by the device's. */
function hasOwnFinding(
  read: ProfileReadings & DeviceReadings,
  device: DevicePrice | undefined,
  largest: string | undefined,
  cpu: number,
): boolean {
  if (largest === undefined || !TOLD.has(ownerOfPart(largest) ?? '')) return false;
  // Where nothing counts the host's packets those rules do not judge, and that is no reason to say more here.
  if (read.processed === undefined) return true;
  const isLargest = (part: string): boolean => part === largest;
  const ofDevice = dearDeviceCosts(read, isLargest).filter(
    ({ of }) => of?.device === device?.labels['device'] && of?.netns === (device?.labels['netns'] ?? ''),
  );
  const costs = [...pathCosts(read, isLargest).filter(({ direction }) => direction === 'receive'), ...ofDevice];
  return dearest(costs, { ...ASKED, cpu }) !== undefined;
}
