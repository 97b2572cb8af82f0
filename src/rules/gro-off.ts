import { cpuSeconds, netstat, receiveBytes, receivePackets, spanPackets } from '../metrics/catalogue/index.ts';
import { acrossNetns, rate, ratio, sumBy } from '../metrics/expression.ts';
import { needsProbe } from './alert.ts';
import { VERIFY } from './path-parts.ts';
import { lastsByUdev } from './remedies/setting.ts';
import { inNetns, shellQuote } from './remedies/shell.ts';
import { deciding, defineRule, ok, optional, warning } from './rule.ts';

export const groOff = defineRule({
  code: 'PKT0113',
  id: 'gro-off',
  role: 'cause',
  title: 'GRO does not merge TCP frames: each goes through the stack alone',
  scope: ['device'],
  none: 'no network device',
  watched: { from: { packetsPerSecond: 5000 } },
  signals: {
    frames: rate(receivePackets),
    bytes: rate(receiveBytes),
    skbs: deciding(rate(spanPackets)),
    size: optional(ratio(rate(receiveBytes), rate(receivePackets), 'bytes')),
    segments: deciding(sumBy([], acrossNetns(rate(netstat.member('Tcp_InSegs'))))),
    hostFrames: deciding(sumBy([], acrossNetns(rate(receivePackets)))),
    softirq: deciding(sumBy([], rate(cpuSeconds, { mode: 'softirq' }))),
  },
  thresholds: {
    busy: {
      value: 20000,
      unit: 'per second',
      help: 'Frames per second below which it does not matter.',
      source: 'judgement: some 240 Mbit/s of full frames; less costs a few per cent of a CPU',
    },
    size: {
      value: 1000,
      unit: 'bytes',
      help: 'Mean size of a frame from which it is bulk that could be merged.',
      source: 'judgement: acknowledgements and requests are smaller, and cannot be merged',
    },
    largest: {
      value: 9600,
      unit: 'bytes',
      help: 'Mean size above which frames came merged already.',
      source: 'jumbo frames; larger ones are of another namespace on this host, or of LRO',
    },
    merged: {
      value: 1.5,
      unit: 'ratio',
      help: 'Frames per packet in the stack below which GRO has no effect.',
      source: 'measured: bulk TCP merges 10 to 44 frames into one',
    },
    tcp: {
      value: 0.7,
      unit: 'ratio',
      help: 'Segments of TCP per frame received by the host from which its traffic is TCP.',
      source: 'judgement: UDP is not merged unless its socket asks for it',
    },
    softirq: {
      value: 0.3,
      unit: 'ratio',
      help: 'Softirq time of the host, in CPUs, below which nobody feels it.',
      source: 'judgement: about a third of a core',
    },
  },
  messages: {
    unmerged:
      '{device} receives {frames:frames} of {size:bytes} on average, mostly TCP, and {skbs:packets} go through the ' +
      'stack: {merged:number} frames to a packet. GRO is off, or has no effect.',
  },
  alert: needsProbe,
  stands: (_unread, { frames, bytes }, limits) =>
    frames.value < limits.busy ||
    bytes.value < limits.size * frames.value ||
    bytes.value > limits.largest * frames.value,
  conclude({ frames, bytes, skbs, segments, hostFrames, softirq }, limits, at) {
    const { device = '' } = at.labels;
    if (frames.value < limits.busy || skbs === undefined || skbs.value <= 0) return ok();
    const size = bytes.value / frames.value;
    const merged = frames.value / skbs.value;
    if (size < limits.size || size > limits.largest || merged >= limits.merged) return ok();
    // A device that the probe watched for a part of the window only would seem to merge.
    if (segments === undefined || hostFrames === undefined || segments.value < limits.tcp * hostFrames.value)
      return ok();
    if ((softirq?.value ?? 0) < limits.softirq) return ok();
    return warning({
      certainty: 'correlated',
      message: 'unmerged',
      args: { device, frames: frames.value, size, skbs: skbs.value, merged },
      evidence: {
        frames: ['>=', limits.busy],
        skbs: null,
        size: ['>=', limits.size],
        segments: null,
        softirq: ['>=', limits.softirq],
      },
      remedies: [
        {
          action: `Turn GRO on where it is off; where it is on, see what keeps frames apart (a tunnel or VLAN without offload, time stamps, XDP).`,
          command: inNetns(
            at.netns,
            `ethtool -k ${shellQuote(device)} | grep -E 'generic-receive|large-receive|rx-gro'; ethtool -K ${shellQuote(device)} gro on`,
          ),
          undo: inNetns(at.netns, `ethtool -K ${shellQuote(device)} gro off`),
          ...lastsByUdev(at.netns, device, '-K $name gro on'),
          verify: VERIFY,
        },
      ],
    });
  },
});
