/** The verdict of PKT0101 about what taps take of sent packets. */
import { errorOfShare } from '../facts/chance.ts';
import { ofAllCpuTime } from '../facts/cpu-time.ts';
import { type TapCost } from '../facts/packet-cost.ts';
import { processText } from '../base/process-text.ts';
import { payersOf, type Payer, type SentPrice } from '../facts/sent-taps.ts';
import { billData, billText } from '../facts/tap-bill.ts';
import type { PricedTaps } from '../facts/tap-price.ts';
import { worded, type Argument, type Datum } from './finding.ts';
import { critical, info, ok, warning } from './rule.ts';
import { asPercent } from './said.ts';
import type { TapReadings, TapCostConclusion, Suspects } from './tap-cost-signals.ts';
import type { TapLimits } from './tap-cost-limits.ts';

/** A host that sends little else than what is tapped has few; the error is taken off before anything is judged by them. */
const ENOUGH_OF_SENDING = 30;

/** What the taps take of sent packets, told with what is to be said of the received ones. */
export function judgeSent(
  { ns, cpu, perSecond }: SentPrice,
  { shares, unpriced }: PricedTaps,
  read: TapReadings,
  { loose, args: given, remedies }: Suspects,
  limits: TapLimits,
): (received: Argument) => TapCostConclusion {
  const part = shareOfSending(read.sentParts);
  const surely = part === undefined ? undefined : part.share - part.error;
  const payers = payersOf(read.payers);
  const args = {
    ...given,
    sentNs: ns,
    sentCpu: cpu,
    sent: perSecond,
    sentBill: worded(billData(shares), billText(shares, unpriced, loose)),
    payers: worded(payers.map(payerData), payersText(payers)),
    ofSending:
      part === undefined
        ? ''
        : worded(
            part.share,
            `, ${asPercent(part.share)} (± ${asPercent(part.error)}) of what sending costs by the profile`,
          ),
  };
  const evidence = {
    sentMedians: null,
    sentFloors: null,
    sentSamples: ['>=', limits.samples],
    sentPackets: null,
    tappedSending: null,
    sentParts: null,
    payers: null,
    taps: null,
    unbound: null,
  } as const;
  const certainty = 'measured';
  const small = cpu < limits.cpu || (part !== undefined && part.share + part.error < limits.minorShare);
  if (small) return (received) => ok({ certainty, message: 'sentNegligible', args: { ...args, received }, evidence });
  const dear =
    ns >= limits.sentNanoseconds && (surely === undefined ? cpu >= limits.criticalCpu : surely >= limits.share);
  if (!dear)
    return (received) => info({ certainty, message: 'sentMinor', args: { ...args, received }, evidence, remedies });
  const impact = ofAllCpuTime(cpu, read.cpus);
  const grave = (surely ?? 0) >= limits.criticalShare && cpu >= limits.criticalCpu;
  return (received) => {
    const said = { certainty, message: 'sentPriced', args: { ...args, received }, evidence, remedies, impact } as const;
    return grave ? critical(said) : warning(said);
  };
}

/** The taps' share of what the profile met on the way out, and its error; undefined where that is too little to say. */
function shareOfSending(
  samples: TapReadings['sentParts'],
): { readonly share: number; readonly error: number } | undefined {
  const own = samples.filter(({ labels }) => labels['part'] !== 'self');
  const all = own.reduce((sum, each) => sum + each.value, 0);
  if (all < ENOUGH_OF_SENDING) return undefined;
  const share = (own.find(({ labels }) => labels['part'] === 'tap-transmit')?.value ?? 0) / all;
  return { share, error: errorOfShare(share, all) };
}

const PAYERS_SHOWN = 3;

function payerData({ pid, comm, share }: Payer): Datum {
  return { pid: Number(pid), comm, share };
}

function payersText(payers: readonly Payer[]): string {
  const shown = payers.slice(0, PAYERS_SHOWN).map((payer) => `${processText(payer)} ${asPercent(payer.share)}`);
  if (payers.length > PAYERS_SHOWN) shown.push(`${payers.length - PAYERS_SHOWN} more`);
  return shown.length === 0 ? '' : `, of the processes: ${shown.join(', ')}`;
}

/** Behind what is said of received packets: what sent ones pay, or why that is not known where many are sent. */
export function sendingText(sending: SentPrice | string, { sent }: TapReadings, limits: TapLimits): Argument {
  if (typeof sending !== 'string') {
    const { ns, cpu, perSecond } = sending;
    const each = `${Math.round(ns)} ns each, ${asPercent(cpu)} of a CPU at ${Math.round(perSecond).toLocaleString('en-US')} packets/s`;
    return worded({ ns, cpu, perSecond }, `. Sent packets pay ${each}`);
  }
  if ((sent?.value ?? 0) < limits.busy) return '';
  return worded({ reason: sending }, `. What sent packets pay was not measured (${sending})`);
}

/** The same the other way round; nothing where next to nothing is received. */
export function receivedText(price: TapCost | string | undefined): Argument {
  if (price === undefined) return worded({ reason: null }, '. Next to nothing is received');
  if (typeof price === 'string')
    return worded({ reason: price }, `. What received packets pay was not measured (${price})`);
  return worded({ ns: price.ns, cpu: price.cpu }, `. Received packets pay ${Math.round(price.ns)} ns each`);
}
