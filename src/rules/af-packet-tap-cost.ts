import { deviceTaps, tapsArePerNetns } from '../facts/device-taps.ts';
import { spanNs, tapCost } from '../facts/packet-cost.ts';
import { medianOverFloor, NOT_TIMED } from '../facts/sent-spans.ts';
import { sentPrice } from '../facts/sent-taps.ts';
import { pricesOfTaps } from '../facts/tap-price.ts';
import { ownersData, ownersText, type TapHook } from '../facts/taps.ts';
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
    const perNetns = tapsArePerNetns(read);
    const { taps, loose } = deviceTaps({
      bound: read.taps,
      boundBefore: read.gone,
      unbound: read.unbound,
      unboundBefore: read.goneUnbound,
      hooks: [...read.hooks, ...read.unboundHooks],
      ...{ everywhere: read.everywhere, perNetns, there: read.there },
      owners: read.owners,
    });
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
    const foreignPaid = perNetns === undefined ? undefined : !perNetns;
    const asked = { taps, loose: loose.size, foreignPaid };
    const sentTogether = read.sentSeconds === undefined ? NOT_TIMED : medianOverFloor(read, limits.samples);
    const seenSent = seenTaps(read, read.sentTapSamples);
    const sentBill = pricesOfTaps(
      { ...asked, prices: read.sentPrices, together: sentTogether, seen: seenSent },
      limits,
    );
    const sending = sentPrice(read, sentBill);
    const sent = typeof sending === 'string' ? undefined : judgeSent(sending, sentBill, read, suspects, limits);
    const together = spanNs(read, taps.length + loose.size, limits);
    const seen = seenTaps(read, read.tapSamples);
    const bill = pricesOfTaps({ ...asked, prices: read.prices, together, seen }, limits);
    const price = tapCost(bill, read, at.seconds);
    const profiled = receivedParts(read.parts);
    const unpriced = (why: string): TapCostConclusion => {
      const little = read.received.value < limits.busy;
      if (sent !== undefined && (little || gravity(sent('')) > 0)) return sent(receivedText(little ? undefined : why));
      return judgeUnpriced(
        why,
        packets,
        suspects,
        load,
        limits,
        onlyHere(taps, seen) ? profiled : cleared(profiled, limits),
      );
    };
    if (typeof price === 'string') return unpriced(price);
    // The median of a span that has no price says nothing of one.
    const shape = typeof together === 'string' ? { ...read, median: undefined } : read;
    const args = { ...suspects.args, sending: sendingText(sending, read, limits) };
    const received = judgePriced(
      price,
      bill,
      shape,
      { ...suspects, args },
      load,
      limits,
      at.seconds,
      sent !== undefined,
    );
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
