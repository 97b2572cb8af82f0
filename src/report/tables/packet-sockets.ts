import type { Tap } from '../../generated/report.ts';
import { formats } from '../words/formats.ts';
import { ownerWords, pathWords, placed, ringWords } from '../words/phrases.ts';
import { everyFormat, type Cell, type Table } from './table.ts';

/** Who listens in, and what each of them costs every packet. */
export function packetSocketTable(taps: readonly Tap[]): Table<Tap> {
  const dearest = taps.reduce((most, { nsPerPacket }) => Math.max(most, nsPerPacket ?? 0), 0);
  return [
    { label: 'Owner', unit: 'name', cell: ({ owners }) => ownerWords(owners) },
    { label: 'Device', unit: 'name', cell: ({ device, netns }) => placed(device, netns) },
    { label: 'Sees', unit: 'words', cell: path },
    { label: 'Hook', unit: 'name', cell: ({ hook }) => hook, whole: true },
    { label: 'Ring, fanout', unit: 'words', cell: ringWords, most: 120 },
    { label: 'Filter', unit: 'words', cell: ({ filter }) => filter ?? 'not known', most: 120 },
    { label: 'Dropped', unit: 'count', cell: ({ drops }) => drops, detail: true },
    { label: 'Price per packet', unit: 'ns', cell: (tap) => price(tap, dearest) },
    { label: 'Per sent packet', unit: 'ns', cell: sentPrice, unlessEmpty: everyFormat },
  ];
}

function sentPrice({ sentPrices = [] }: Tap): Cell {
  const [first, ...others] = sentPrices;
  if (first === undefined) return null;
  const also = others.slice(0, 3).map(({ device, nsPerPacket }) => `${formats.ns(nsPerPacket)} on ${device}`);
  return { figure: first.nsPerPacket, note: first.certainty, also };
}

function path(tap: Tap): Cell {
  return { words: pathWords(tap), also: tap.promiscuous === true ? ['promiscuous'] : [] };
}

/** A socket that not every packet pays for has no price to measure. */
function price({ nsPerPacket, priceCertainty, prices, onHotPath, notPriced }: Tap, dearest: number): Cell {
  if (nsPerPacket === null && !onHotPath) return null;
  if (nsPerPacket === null) return { words: 'not measured', also: notPriced == null ? [] : [notPriced] };
  return {
    figure: nsPerPacket,
    ...(priceCertainty === null ? {} : { note: priceCertainty }),
    ...(dearest === 0 ? {} : { bar: nsPerPacket / dearest }),
    also: prices.slice(1, 4).map(({ device, nsPerPacket: ns }) => `${formats.ns(ns)} on ${device}`),
  };
}
