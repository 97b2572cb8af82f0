import type { CostPart } from '../generated/report.ts';
import type { Comparison } from './compare.ts';
import type { Change } from './noise.ts';
import { formats } from './words.ts';

/** A part that makes less of the difference is not named as what it is made of. */
const MOST_OF_IT = 0.5;
const NAMED = 3;

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
      .filter(({ figure, verdict }) => /dropped|missed/.test(figure) && (verdict === 'more' || verdict === 'less'))
      .map(({ verdict, difference }) => `${formats.rate(Math.abs(difference ?? 0))} ${verdict} on ${place}`),
  );
  if (drops.length > 0) sentences.push(`drops: ${drops.slice(0, NAMED).join(', ')}`);
  if (findings.appeared.length > 0) sentences.push(`appeared: ${codes(findings.appeared)}`);
  if (findings.went.length > 0) sentences.push(`went: ${codes(findings.went)}`);
  return `${sentences.join('; ')}.`;
}

/** NET_RX time where the probe gave it: exact, where softirq time is mostly counted in ticks. */
function priceOf(cost: readonly Change[]): Change | undefined {
  const [accounted, , measured] = cost;
  return measured === undefined || measured.verdict === 'unknown' ? accounted : measured;
}

function priceSentence(price: Change | undefined): string {
  if (price?.before == null || price.after === null || price.difference === null || price.noise === null) {
    return 'The cost of a packet cannot be compared: it is not known in both windows';
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
  const names = taps.map(({ owners, device }) => {
    const owner = owners[0];
    return `${owner === undefined ? 'of unknown owner' : `${owner.comm} (${owner.pid})`} on ${device}`;
  });
  return names.length > NAMED
    ? `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`
    : names.join(', ');
}

function codes(changes: Comparison['findings']['appeared']): string {
  return [...new Set(changes.map(({ code, rule }) => `${code} ${rule}`))].join(', ');
}
