import type { LossLimits } from '../facts/loss.ts';
import { gradeShare } from '../facts/lost.ts';
import type { Signal } from '../facts/signal.ts';
import { worded, type Argument, type Advice } from './finding.ts';
import { againstLimit } from './proof.ts';
import { inNetns, shellQuote } from './remedies/shell.ts';
import { critical, info, warning, type Conclusion } from './rule.ts';

/** Ways to lose a frame before the receive ring, as metrics/nic-losses.ts has them, and what is said of the frames. */
const why = {
  port: 'there was no room for them in the card itself, or on the bus behind it',
  memory: 'the driver got no memory for their buffers',
  bad: 'they were spoilt on their way to the card',
  policed: 'they were more than the host of this guest allows',
} as const;
type Way = keyof typeof why;

const isWay = (kind: string): kind is Way => Object.hasOwn(why, kind);

const said = (of: string): Readonly<Record<Way, string>> => ({
  port: `${of} because ${why.port} ({counter} of ethtool -S){besides}.`,
  memory: `${of} because ${why.memory} ({counter} of ethtool -S, which may count attempts){besides}.`,
  bad: `${of} because ${why.bad} ({counter} of ethtool -S){besides}.`,
  policed: `${of} because ${why.policed} ({counter} of ethtool -S){besides}.`,
});

export const cardMessages = said(
  '{device}{of} lost {lost:count} frames, {share:percent} of what arrived ({rate:rate}),',
);

/** The same of totals. */
export const cardMessagesSinceBoot = said(
  '{device}{of} lost {lost:count} frames {since}, {share:percent} of what arrived,',
);

export interface CardLoss {
  readonly way: Way;
  readonly counter: string;
  readonly lost: number;
}

/** The counter that rose most: several may count the same. */
export function worstOfCard(counters: readonly Signal[]): CardLoss | undefined {
  return counters
    .flatMap(({ labels, value: lost }) => {
      const { kind = '', counter = '' } = labels;
      return isWay(kind) && lost > 0 ? [{ way: kind, counter, lost }] : [];
    })
    .sort((a, b) => b.lost - a.lost)[0];
}

/** Behind a loss of the ring. */
export function besidesText(loss: CardLoss | undefined): Argument {
  if (loss === undefined) return '';
  const { way, counter, lost } = loss;
  return worded(
    { counter, lost },
    `; besides, ${lost.toLocaleString('en-US')} frames because ${why[way]} (${counter})`,
  );
}

interface Card {
  readonly device: string;
  readonly netns: string;
  readonly driver: string;
  readonly packets: number;
  /** What the ring lost beside it. */
  readonly ring: number;
  readonly seconds: number;
}

/** What a card lost before its ring. */
export function tellCardLoss(
  { way, counter, lost }: CardLoss,
  { device, netns, driver, packets, ring, seconds }: Card,
  limits: LossLimits,
): Conclusion<Way, 'card' | 'missed' | 'packets'> {
  const { share, grade } = gradeShare(lost, packets, limits);
  const conclusion = {
    certainty: way === 'memory' ? 'correlated' : 'measured',
    message: way,
    args: {
      device,
      driver,
      of: driver === '' ? '' : worded({ driver }, ` (${driver})`),
      counter,
      lost,
      share,
      rate: lost / seconds,
      besides:
        ring === 0
          ? ''
          : worded({ lost: ring }, `; besides, ${ring.toLocaleString('en-US')} frames in its receive ring`),
    },
    evidence: { card: againstLimit(lost, limits.lost), missed: null, packets: null },
    remedies: [remedyOf(way, netns, device, counter)],
    impact: { lostPerSecond: lost / seconds },
  } as const;
  if (grade === 'none') return info(conclusion);
  return grade === 'critical' ? critical(conclusion) : warning(conclusion);
}

const actions: Readonly<Record<Way, string>> = {
  port: 'See whether the card is asked for more than its bus carries (width and speed of its PCIe link), or flow control holds it up; several ports of one card share both.',
  memory:
    'See what takes the memory in one piece: raise vm.min_free_kbytes, or make the ring and the MTU smaller, so that buffers of one page do.',
  bad: 'Look at the cable, the module and the port of the switch: what is spoilt is spoilt outside of this host.',
  policed: 'Take a larger size of guest, or spread the traffic over more of them: nothing in this guest changes it.',
};

function remedyOf(way: Way, netns: string, device: string, counter: string): Advice {
  const quoted = shellQuote(device);
  const verify = `ethtool -S ${quoted} | grep ${shellQuote(counter.replace(/N/g, '[0-9]*'))}`;
  const command =
    way === 'port' ? `ethtool -a ${quoted}; ethtool -i ${quoted}` : way === 'bad' ? `ethtool -m ${quoted}` : verify;
  return { action: actions[way], command: inNetns(netns, command), verify: inNetns(netns, verify) };
}
