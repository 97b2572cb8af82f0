import {
  cpuSeconds,
  deviceInfo,
  deviceIrq,
  interrupts,
  receiveFifo,
  receiveMissed,
  receivePackets,
} from '../metrics/catalogue/index.ts';
import { andOn, either, increase, rate, sumBy, value, type Expression } from '../metrics/expression.ts';
import { gradeLoss, lossOf } from './facts/loss.ts';
import { irqsOn } from './facts/packet-cpus.ts';
import { enlargeRing } from './remedies/nic.ts';
import { critical, defineRule, notApplicable, notMeasured, ok, optional, optionalList, warning } from './rule.ts';
import { thresholds } from './thresholds.ts';

/**
 * Drivers in which rx_missed_errors is constantly 0 (mana: up to 6.17): ring drops are in rx_dropped (ena, vmxnet3), with
 * the physical function (ixgbevf, iavf) or with the host (virtio_net, hv_netvsc, gve, xen-netfront, which is `vif`).
 */
const SILENT = new Set([...['ena', 'virtio_net', 'vmxnet3', 'hv_netvsc', 'gve', 'mana', 'vif', 'ixgbevf', 'iavf']]);
/** Drivers that fetch the counters of the hardware only every second or two. */
const SLOW = new Set(['bnxt_en', 'ixgbe', 'mlx5_core']);
const SLOW_SECONDS = 3;

const received = increase(receivePackets, { netns: '' });
const missed = increase(receiveMissed);
const physical = value(deviceInfo, { kind: 'physical' });

export const nicRingDrops = defineRule({
  code: 'PKT0501',
  id: 'nic-ring-drops',
  role: 'outcome',
  title: 'The NIC drops frames because the host does not empty its ring in time',
  seed: '§3.5',
  scope: ['device'],
  none: 'no physical network device',
  signals: {
    packets: andOn(['device'], received, physical),
    missed: andOn(['device'], missed, physical),
    // Some drivers count the same loss here as well, so the larger of the two is taken, never the sum.
    fifo: optional(increase(receiveFifo, { netns: '' })),
    device: optional(value(deviceInfo)),
    irqs: optionalList(value(deviceIrq)),
    taken: optionalList(rate(interrupts)),
    softirq: optionalList(sumBy(['cpu'], rate(cpuSeconds, { mode: ['softirq', 'irq'] }))),
    idle: optionalList(sumBy(['cpu'], rate(cpuSeconds, { mode: ['idle', 'iowait'] }))),
  },
  thresholds: thresholds.PKT0501,
  messages: {
    ring:
      '{device} ({driver}) lost {lost:count} frames in its receive ring, {share:percent} of what arrived ({rate:rate}). Its ' +
      'interrupts run on CPU {cpus}, which have room: the ring is too small for the bursts.',
    slow:
      '{device} ({driver}) lost {lost:count} frames in its receive ring, {share:percent} of what arrived ({rate:rate}), ' +
      'because CPU {hot} that empties it is busy with softirq: a larger ring only delays that.',
    starved:
      '{device} ({driver}) lost {lost:count} frames in its receive ring, {share:percent} of what arrived ({rate:rate}), ' +
      'and CPU {hot} that empties it is never idle: programs, NAPI threads or the hypervisor leave it no time. A larger ring only delays that.',
    unplaced:
      '{device} ({driver}) lost {lost:count} frames in its receive ring, {share:percent} of what arrived ({rate:rate}).',
  },
  alert: {
    raise: ({ fifo }, limits) => {
      // The larger of the two is over a limit where one of them is.
      const loss = (share: number): Expression =>
        andOn(
          ['device'],
          either(lossOf(missed, received, limits.lost, share), lossOf(fifo, received, limits.lost, share)),
          physical,
        );
      const says = 'The device loses {value} of what arrives in its receive ring.';
      return {
        critical: { when: loss(limits.criticalShare), says },
        warning: { when: loss(limits.share), says },
      };
    },
  },
  conclude({ packets, missed, fifo, device, irqs, taken, softirq, idle }, limits, at) {
    const name = at.labels['device'] ?? '';
    const driver = device?.labels['driver'] ?? '';
    const lost = Math.max(missed.value, fifo?.value ?? 0);
    if (lost === 0 && SILENT.has(driver)) {
      return notApplicable(`${driver} does not count frames lost in the ring: 0 says nothing`);
    }
    if (lost === 0 && SLOW.has(driver) && at.seconds < SLOW_SECONDS && packets.value > 0) {
      return notMeasured(
        `${driver} fetches its counters every second or two: a window of ${SLOW_SECONDS} s or more tells`,
      );
    }
    const { share, grade } = gradeLoss(lost, packets.value, limits);
    if (grade === 'none') return ok();
    const cpus = cpusOf(
      irqs.map(({ labels }) => labels['type'] ?? ''),
      taken,
    );
    const hot = softirq
      .filter(({ labels, value: used }) => cpus.includes(labels['cpu'] ?? '') && used >= limits.hot)
      .map(({ labels }) => labels['cpu'] ?? '');
    // With programs beside it, or with NAPI in threads, softirq never reaches such a share.
    const busy = idle
      .filter(({ labels, value: left }) => cpus.includes(labels['cpu'] ?? '') && left <= limits.spare)
      .map(({ labels }) => labels['cpu'] ?? '');
    const short = hot.length > 0 ? hot : busy;
    const message =
      hot.length > 0 ? 'slow' : busy.length > 0 ? 'starved' : cpus.length > 0 && idle.length > 0 ? 'ring' : 'unplaced';
    const said = {
      certainty: 'measured',
      message,
      args: {
        device: name,
        driver,
        lost,
        share,
        rate: lost / at.seconds,
        cpus: cpus.join(', '),
        hot: short.join(', '),
      },
      evidence: {
        missed: ['>=', limits.lost],
        fifo: null,
        packets: null,
        softirq: ['>=', limits.hot],
        ...(message === 'starved' ? ({ idle: ['<=', limits.spare] } as const) : {}),
      },
      remedies: enlargeRing(name, irqsOn(taken, irqs), short),
      place: cpus.length > 0 ? { cpus: short.length > 0 ? short : cpus } : {},
      impact: { lostPerSecond: lost / at.seconds },
    } as const;
    return grade === 'critical' ? critical(said) : warning(said);
  },
});

/** The CPUs that took the interrupts, those that took most first. */
function cpusOf(
  types: readonly string[],
  taken: readonly { labels: Readonly<Record<string, string>>; value: number }[],
): string[] {
  const wanted = new Set(types);
  const rates = new Map<string, number>();
  for (const { labels, value: perSecond } of taken) {
    const cpu = labels['cpu'] ?? '';
    if (perSecond >= 1 && wanted.has(labels['type'] ?? '')) rates.set(cpu, (rates.get(cpu) ?? 0) + perSecond);
  }
  return [...rates]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 8)
    .map(([cpu]) => cpu);
}
