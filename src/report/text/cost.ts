import type { CostPart, DeviceCost, Report, Tap } from '../../generated/report.ts';
import { bars, reachWords } from '../words/bars.ts';
import { cpuTable } from '../tables/cpus.ts';
import { deviceTable } from '../tables/devices.ts';
import { spansOf, spanTable, untimedWords, type SpanRow } from '../tables/spans.ts';
import { packetSocketTable } from '../tables/packet-sockets.ts';
import {
  interruptTime,
  billWords,
  few,
  hotCount,
  ownerWords,
  partsOf,
  partWords,
  placed,
  rulerWords,
  unpricedWords,
} from '../words/phrases.ts';
import { formats, significant } from '../words/formats.ts';
import { paint, paragraph, show, type Style } from './layout.ts';
import { besideTaps, type ListedTaps } from '../words/listed-taps.ts';
import { profileLines } from './profile.ts';
import { drawTable } from './table.ts';

/** The packet sockets alone, and what is to be known of the prices. */
export function renderTaps(listed: ListedTaps, style: Style): string {
  const said = besideTaps(listed).flatMap((each) => paragraph(show(style, each), style.width, '  ', 2));
  return `${[...tapsSection(listed, style), ...said].join('\n').trim()}\n`;
}

export function tapsSection(listed: Pick<Report, 'taps' | 'tapsLeftOut'>, style: Style): string[] {
  const { taps, tapsLeftOut = 0 } = listed;
  if (taps.length === 0) return [];
  const hot = taps.filter(({ onHotPath }) => onHotPath).length;
  const title =
    `PACKET SOCKETS: ${taps.length + tapsLeftOut}, ` +
    (hot === 0
      ? 'none of them a tap on every packet'
      : `${hot < taps.length || tapsLeftOut > 0 ? `${hotCount(listed)} of them ` : hot === 1 ? '' : 'all '}on the path of every packet`);
  return [
    paint(style, 'strong', title),
    ...drawTable(style, packetSocketTable(taps), taps),
    ...leftOutLine(tapsLeftOut, 'packet sockets', style),
    ...unpricedLines(taps, style),
    ...taps.filter(({ onHotPath }) => onHotPath).flatMap((tap) => billLines(tap, style)),
  ];
}

/** What the report itself leaves out of a list. */
function leftOutLine(count: number, what: string, style: Style): string[] {
  return count === 0 ? [] : paragraph(`and ${formats.count(count)} more ${what}, left out here.`, style.width, '  ', 2);
}

/** Why taps have no price, each reason once. */
function unpricedLines(taps: readonly Tap[], style: Style): string[] {
  const reasons = new Map<string, string[]>();
  for (const { notPriced, owners } of taps) {
    if (notPriced != null) reasons.set(notPriced, [...(reasons.get(notPriced) ?? []), ownerWords(owners)]);
  }
  return [...reasons].flatMap(([reason, owners]) =>
    paragraph(show(style, `No price of ${few([...new Set(owners)])}: ${reason}.`), style.width, '  ', 2),
  );
}

/** What a capture costs in all, where more than its price per packet is known. */
function billLines({ owners, bill }: Tap, style: Style): string[] {
  const words = bill === undefined ? '' : billWords(bill);
  return words === '' ? [] : paragraph(show(style, `${ownerWords(owners)}: ${words}.`), style.width, '  ', 2);
}

/** Taps run on what is sent as well, after TC egress (net/core/dev.c:dev_queue_xmit_nit): said where no price of that is known. */
export function transmitLine({ taps, probe }: Report, style: Style): string[] {
  if (!taps.some(({ onHotPath, nsPerPacket }) => onHotPath && nsPerPacket !== null)) return [];
  if (taps.some(({ sentPrices = [] }) => sentPrices.length > 0)) return [];
  const [timed, refused] = [true, false].map((attach) =>
    probe.plan.find((line) => (line.span === 'sockets' || line.span === 'transmit') && line.attach === attach),
  );
  const why =
    timed !== undefined ? ' (too few packets were sent)' : refused === undefined ? '' : ` (${refused.reason})`;
  const words = `Prices are of received packets: what these taps cost on sent ones was not measured${why}.`;
  return paragraph(show(style, words), style.width, '  ', 2);
}

export function costSection(report: Report, style: Style): string[] {
  const { cost } = report;
  return [
    paint(style, 'strong', 'COST OF A PACKET'),
    ...hostLines(cost.host, style),
    ...rulersLine(report, style),
    ...profileLines(report, style),
    ...deviceLines(cost.devices, style),
    ...leftOutLine(cost.devicesLeftOut ?? 0, 'devices that received less', style),
    ...spanLines(cost.devices, style),
    ...cpuLines(cost.cpus, style),
  ];
}

/** Two prices of a packet side by side want a word. */
function rulersLine(report: Report, style: Style): string[] {
  const words = rulerWords(report);
  return words === undefined ? [] : paragraph(show(style, words), style.width, '  ', 2);
}

function hostLines(host: Report['cost']['host'], style: Style): string[] {
  const packetTime = interruptTime(host);
  const facts = [
    ...(host.nsPerPacket === null ? [] : [`${formats.ns(host.nsPerPacket)} of softirq and NAPI time per packet`]),
    ...(host.netRxNsPerPacket === null ? [] : [`${formats.ns(host.netRxNsPerPacket)} per packet measured in NET_RX`]),
    ...(host.nsPerWirePacket === null ? [] : [`${formats.ns(host.nsPerWirePacket)} per frame received`]),
    ...(host.packetsPerSecond === null ? [] : [`${significant(host.packetsPerSecond)} packets/s`]),
    ...(host.groRatio === null ? [] : [`${significant(host.groRatio)} frames to a packet (GRO)`]),
    ...(packetTime === null ? [] : [`${formats.percent(packetTime)} of all CPU time`]),
  ];
  const unpriced = unpricedWords(host);
  return [
    ...(facts.length === 0 ? [] : paragraph(show(style, `Host: ${facts.join(', ')}.`), style.width, '  ', 2)),
    ...(unpriced === undefined ? [] : paragraph(show(style, unpriced), style.width, '  ', 2)),
    ...(host.breakdown.length === 0
      ? []
      : paragraph(show(style, `Made of: ${parts(host.breakdown)}.`), style.width, '  ', 2)),
  ];
}

function parts(breakdown: readonly CostPart[]): string {
  return partsOf(breakdown)
    .map(({ part, ns, share }) => `${partWords[part].name} ${formats.percent(share)} (${formats.ns(ns)})`)
    .join(', ');
}

function deviceLines(devices: Report['cost']['devices'], style: Style): string[] {
  return devices.length === 0 ? [] : ['', ...drawTable(style, deviceTable, devices)];
}

const BARS = 40;
/** Less is within what a price is known to. */
const WORTH_SAYING = 0.05;

/** Of packets that were estimated, and not well. */
function uncertain(error: number | null | undefined): string {
  return error === null || error === undefined || error <= WORTH_SAYING
    ? ''
    : `; its packets were estimated and may be ${formats.percent(error)} wrong`;
}

/** Each span with its distribution; what devices with spans are made of; and of the other devices why not. */
function spanLines(devices: readonly DeviceCost[], style: Style): string[] {
  const rows = devices.flatMap(spansOf);
  const untimed = untimedWords(devices);
  const below = [
    ...rows.flatMap((row) => distributionLine(row, style)),
    ...devices.filter(({ spans }) => spans !== null).flatMap((device) => madeOfLines(device, style)),
  ];
  return [
    ...(rows.length === 0 ? [] : ['', ...drawTable(style, spanTable, rows), ...below]),
    ...(rows.length > 0 && untimed.length > 0 ? [''] : []),
    ...untimed.flatMap((words) => paragraph(show(style, words), style.width, '  ', 2)),
  ];
}

function distributionLine({ device: { device, netns }, kind, span }: SpanRow, style: Style): string[] {
  const drawn = bars(span.histogram, BARS, style.unicode);
  return drawn === undefined
    ? []
    : [
        show(style, `  ${placed(device, netns)}, ${kind}: ${formats.ns(drawn.fromNs)} |`) +
          drawn.bars +
          show(style, `| ${reachWords(drawn)}`),
      ];
}

function madeOfLines({ device, netns, breakdown, groRatio, skbsError }: DeviceCost, style: Style): string[] {
  const facts = [
    ...(groRatio === null ? [] : [`${significant(groRatio)} frames to a packet (GRO)${uncertain(skbsError)}`]),
    ...(breakdown.length === 0 ? [] : [`made of ${parts(breakdown)}`]),
  ];
  return facts.length === 0
    ? []
    : paragraph(show(style, `${placed(device, netns)}: ${facts.join('; ')}.`), style.width, '  ', 2);
}

function cpuLines(cpus: Report['cost']['cpus'], style: Style): string[] {
  return cpus.length === 0 ? [] : ['', ...drawTable(style, cpuTable, cpus)];
}
