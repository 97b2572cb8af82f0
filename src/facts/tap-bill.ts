/** The price of taps, tap by tap, in words and as data. */
import type { Share } from './tap-price.ts';
import { describeTap, elsewhereText, ownersData, ownersText, type TapHook } from './taps.ts';

type Owners = readonly { readonly pid: number; readonly comm: string }[];

/** The bill as data, dearest first. */
export function billData(shares: readonly Share[]): Readonly<Record<string, string | number | boolean | Owners>>[] {
  return [...shares]
    .sort((a, b) => b.nanoseconds - a.nanoseconds)
    .map(({ tap, nanoseconds, measured, error }) => ({
      owners: ownersData([tap]),
      device: tap.device,
      hook: tap.handler,
      filter: tap.filter,
      ring: tap.ring,
      fanout: tap.fanout,
      sockets: tap.inodes.length,
      elsewhere: tap.elsewhere,
      nsPerPacket: nanoseconds,
      measured,
      ...(error !== undefined && { error }),
    }));
}

/** One line per tap: owner, price, and what makes it dear or cheap; then those without a price, and hooks of no socket. */
export function billText(shares: readonly Share[], unpriced: readonly TapHook[], loose: readonly string[]): string {
  const lines = [...shares]
    .sort((a, b) => b.nanoseconds - a.nanoseconds)
    .slice(0, 6)
    .map(({ tap, nanoseconds, measured, error }) => {
      const how = error === undefined ? 'estimated' : `± ${Math.round(error)} ns by the profile`;
      const price = `${Math.round(nanoseconds)} ns${measured ? '' : ` (${how})`}`;
      return `${ownersText([tap])}: ${price}, ${describeTap(tap)}`;
    });
  if (shares.length > lines.length) lines.push(`${shares.length - lines.length} more`);
  const here = unpriced.filter(({ elsewhere }) => !elsewhere);
  const foreign = unpriced.filter(({ elsewhere }) => elsewhere);
  if (here.length > 0) lines.push(`not priced: ${ownersText(here)}`);
  if (foreign.length > 0) lines.push(`not priced: ${ownersText(foreign)}, ${elsewhereText}`);
  return [...lines, ...loose].join('; ');
}
