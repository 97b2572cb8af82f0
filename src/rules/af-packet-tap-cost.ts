import { tapPrice, type TapCost } from '../facts/packet-cost.ts';
import { tapsArePerNetns } from '../facts/tap-count.ts';
import { sentPrice } from '../facts/sent-taps.ts';
import { foreignBill, hooksWithoutSocket, ownersData, ownersText, tapsOn, type TapHook } from '../facts/taps.ts';
import { needsProbe } from './alert.ts';
import { worded, type Argument } from './finding.ts';
import { findModule, narrowTaps } from './remedies/taps.ts';
import { defineRule, ok } from './rule.ts';
import { asPercent } from './said.ts';
import { loadOf, signsOf } from './tap-cost-load.ts';
import { receivedParts, whereText, onlyHere, cleared, seenTaps } from './tap-cost-profiled.ts';
import { judgeUnpriced, judgePriced } from './tap-cost-received.ts';
import { judgeSent, sendingText, receivedText } from './tap-cost-sent.ts';
import { signals, messages, type TapReadings, type TapCostConclusion, type Suspects } from './tap-cost-signals.ts';
import { thresholds } from './tap-cost-limits.ts';

export const afPacketTapCost = defineRule({
  code: 'PKT0101',
  id: 'af-packet-tap-cost',
  role: 'cause',
  title: 'Packet captures slow every packet',
  scope: ['device'],
  none: 'no network device',
  signals,
  thresholds,
  messages,
  alert: needsProbe,
  conclude(read, limits, at) {
    const device = at.labels['device'] ?? '';
    const packets = read.received.value + (read.sent?.value ?? 0);
    // Those that were priced have gone: the first sample knew them, and their owners may have ended with them.
    const none = read.taps.length + read.unbound.length === 0;
    const ended = read.there?.labels['lasts'] === '0' || (none && read.gone.length + read.goneUnbound.length > 0);
    const taps = tapsOn({
      bound: ended ? read.gone : read.taps,
      unbound: ended ? read.goneUnbound : read.unbound,
      everywhere: tapsArePerNetns(read) ? [] : read.everywhere,
      owners: ended ? [...read.owners, ...read.ownersBefore] : read.owners,
    });
    const loose = hooksWithoutSocket([...read.hooks, ...read.unboundHooks], taps);
    if (packets < limits.busy) {
      const bound = taps.filter((tap) => tap.device !== 'any');
      if (bound.length === 0) return ok();
      return ok({
        message: 'idle',
        args: { device, owners: worded(ownersData(bound), ownersText(bound)), packets },
        evidence: { taps: null },
      });
    }
    const load = loadOf(read, limits, at);
    if (taps.length === 0 && loose.size === 0) {
      if (!load.dominant || !(load.hot.length > 0 || load.risen || load.dear)) return ok();
      return ok({
        message: 'ruledOut',
        args: { device, signs: signsOf(load), where: whereText(read) },
        evidence: { received: ['>=', limits.busy], softirqByCpu: null, netRx: null, netRxDriver: null },
      });
    }
    const place = { device, netns: at.netns };
    const modules = [...loose.keys()].filter((name) => name !== 'AF_PACKET');
    const suspects: Suspects = {
      taps,
      loose: looseText(loose),
      args: {
        device,
        owners: worded(
          ownersData(taps),
          [...(taps.length > 0 ? [ownersText(taps)] : []), ...looseText(loose)].join(', '),
        ),
        when: whenText(read),
        beside: besideText(read, taps),
      },
      remedies: [...narrowTaps(taps, place), ...(modules.length > 0 ? [findModule(modules, place)] : [])],
    };
    const sending = sentPrice(read, taps, limits);
    const sent = typeof sending === 'string' ? undefined : judgeSent(sending, read, suspects, limits);
    const local = tapPrice({ ...read, taps: taps.length + loose.size }, limits, at.seconds);
    const profiled = receivedParts(read.parts);
    const unpriced = (why: string): TapCostConclusion => {
      const little = read.received.value < limits.busy;
      if (sent !== undefined && (little || gravity(sent('')) > 0)) return sent(receivedText(little ? undefined : why));
      const seen = seenTaps(read, read.tapSamples);
      return judgeUnpriced(
        why,
        packets,
        suspects,
        load,
        limits,
        onlyHere(taps, seen) ? profiled : cleared(profiled, limits),
      );
    };
    if (typeof local === 'string') return unpriced(local);
    const foreign = foreignBill(taps, read.pricesEverywhere);
    if (taps.length > 0 && foreign.unpriced.length === taps.length && loose.size === 0) return unpriced(foreignWhy);
    const price = withForeign(local, foreign.ns);
    const args = { ...suspects.args, sending: sendingText(sending, read, limits) };
    const received = judgePriced(price, read, { ...suspects, args }, load, limits, foreign, sent !== undefined);
    return sent !== undefined && gravity(sent('')) > gravity(received) ? sent(receivedText(price)) : received;
  },
});

/** What captures take beside the path of packets: their readers, whatever else those do, and the memory of their rings. */
function besideText({ readers, rings }: TapReadings, taps: readonly TapHook[]): Argument {
  const pids = new Set(taps.flatMap(({ owners }) => owners.map(({ pid }) => pid)));
  const inodes = new Set(taps.flatMap((tap) => tap.inodes));
  const own = readers.filter(({ labels }) => pids.has(labels['pid'] ?? ''));
  const cpu = own.reduce((sum, each) => sum + each.value, 0);
  const bytes = rings
    .filter(({ labels }) => inodes.has(labels['inode'] ?? ''))
    .reduce((sum, each) => sum + each.value, 0);
  const parts = [
    ...(own.length === 0 ? [] : [`their processes take ${asPercent(cpu)} of a CPU in user space`]),
    ...(bytes === 0 ? [] : [`their rings hold ${(bytes / 2 ** 20).toFixed(1)} MiB`]),
  ];
  return parts.length === 0
    ? ''
    : worded({ cpu: own.length === 0 ? null : cpu, bytes }, `. Besides, ${parts.join(' and ')}`);
}

/** When the taps that are priced were there, where that was not all the time. */
function whenText({ there }: TapReadings): Argument {
  if (there === undefined) return '';
  const seconds = `${there.value.toFixed(1)} s`;
  const lasts = there.labels['lasts'] === '1';
  return worded(
    { seconds: there.value, lasts },
    lasts
      ? ` (there for the last ${seconds} of the window, which the price is of)`
      : ` (gone by its end: there for ${seconds} of the window, which the price is of)`,
  );
}

/** Up to 6.12 whatever passes a device without a tap, to show the floor, passes the unbound taps of all namespaces too. */
const foreignWhy = 'on this kernel every packet of the host passes them, so that no floor is without them';

function withForeign(price: TapCost, foreignNs: number): TapCost {
  const all = price.ns + foreignNs;
  return { ...price, ns: all, cpu: (all * price.skbsPerSecond) / 1e9 };
}

const gravities: readonly TapCostConclusion['outcome'][] = ['info', 'warning', 'critical'];

/** 0 for what asks for no look. */
function gravity({ outcome }: TapCostConclusion): number {
  return gravities.indexOf(outcome) + 1;
}

function looseText(loose: ReadonlyMap<string, number>): string[] {
  return [...loose].map(([name, count]) =>
    name === 'AF_PACKET'
      ? `${count} AF_PACKET hook${count === 1 ? '' : 's'} whose sockets were not seen`
      : `kernel function ${name} (no AF_PACKET socket)`,
  );
}
