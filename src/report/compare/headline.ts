import type { CostPart } from '../../generated/report.ts';
import { formats } from '../words/formats.ts';
import { few, ownerWords, placed } from '../words/phrases.ts';
import type { Comparison } from './comparison.ts';
import type { Change, Quantity } from './noise.ts';

/** A part that makes less of the difference is not named as what it is made of. */
const MOST_OF_IT = 0.5;
const NAMED = 3;

const losses: ReadonlySet<Quantity> = new Set<Quantity>(['dropped', 'missed', 'cardLost']);

/** What changed, what it is made of, and who came with it, in one or two sentences. */
export function headlineOf({ cost, parts, devices, cpus, taps, findings }: Omit<Comparison, 'headline'>): string {
  const price = priceOf(cost);
  const sentences = [`${priceSentence(price)}${partSentence(price, parts)}`];
  const came = taps.came.filter(({ onHotPath }) => onHotPath);
  const went = taps.went.filter(({ onHotPath }) => onHotPath);
  if (came.length > 0) sentences.push(`taps that came: ${tapNames(came)}`);
  if (went.length > 0) sentences.push(`taps that went: ${tapNames(went)}`);
  const drops = [...devices, ...cpus].flatMap(({ place, figures }) =>
    figures
      .filter(({ quantity, verdict }) => losses.has(quantity) && (verdict === 'more' || verdict === 'less'))
      .map(({ verdict, difference }) => `${formats.rate(Math.abs(difference ?? 0))} ${verdict} on ${place}`),
  );
  if (drops.length > 0) sentences.push(`drops: ${drops.slice(0, NAMED).join(', ')}`);
  if (findings.appeared.length > 0) sentences.push(`appeared: ${codes(findings.appeared)}`);
  if (findings.went.length > 0) sentences.push(`went: ${codes(findings.went)}`);
  return `${sentences.join('; ')}.`;
}

/** NET_RX time where the probe gave it: exact, where softirq time is mostly counted in ticks. */
function priceOf(cost: readonly Change[]): Change | undefined {
  const [accounted, measured] = (['softirqNsPerPacket', 'netRxNsPerPacket'] as const).map((wanted) =>
    cost.find(({ quantity }) => quantity === wanted),
  );
  return measured === undefined || measured.verdict === 'unknown' ? accounted : measured;
}

function priceSentence(price: Change | undefined): string {
  if (price?.before == null || price.after === null || price.difference === null || price.noise === null) {
    const known = price?.before == null && (price?.after ?? null) === null ? 'in neither window' : 'in one window only';
    return `The cost of a packet cannot be compared: it is known ${known}`;
  }
  const { figure } = price;
  const figures = `${figure} ${formats.ns(price.before)} before, ${formats.ns(price.after)} after`;
  const noise = `noise ${formats.ns(price.noise)}`;
  if (price.verdict === 'within-noise') return `A packet costs about the same: ${figures}, ${noise}`;
  const by = formats.ns(Math.abs(price.difference));
  return `A packet costs ${by} ${price.verdict}: ${figures}, ${noise}`;
}

const partNames: Readonly<Record<CostPart['part'], string>> = {
  'driver-gro': 'driver and GRO',
  tracing: 'tracing',
  taps: 'the taps',
  'net-rx-rest': 'the rest of NET_RX',
  unexplained: 'time outside of NET_RX',
};

function partSentence(price: Change | undefined, parts: Comparison['parts']): string {
  if (price?.verdict !== 'more' && price?.verdict !== 'less') return '';
  const direction = price.verdict === 'more' ? 1 : -1;
  const steps = parts.map(({ part, beforeNs, afterNs }) => ({ part, ns: afterNs - beforeNs }));
  const main = steps.sort((a, b) => direction * (b.ns - a.ns))[0];
  if (main === undefined || direction * main.ns < MOST_OF_IT * Math.abs(price.difference ?? 0)) return '';
  const sign = main.ns > 0 ? '+' : '-';
  return `; mostly ${partNames[main.part]} (${sign}${formats.ns(Math.abs(main.ns))})`;
}

function tapNames(taps: Comparison['taps']['came']): string {
  return few(
    taps.map(({ owners, device, netns }) => `${ownerWords(owners.slice(0, 1))} on ${placed(device, netns)}`),
    NAMED,
  );
}

function codes(changes: Comparison['findings']['appeared']): string {
  return [...new Set(changes.map(({ code, rule }) => `${code} ${rule}`))].join(', ');
}
