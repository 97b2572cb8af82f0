import type { Report, Tap } from '../../generated/report.ts';
import { lossesOf, lossTable } from '../tables/losses.ts';
import { packetSocketTable } from '../tables/packet-sockets.ts';
import { formats } from '../words/formats.ts';
import { hotCount } from '../words/phrases.ts';
import { unreadTaps } from '../words/listed-taps.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { drawTable, folded } from './table.ts';

const ROWS = 200;

/** Who listens in, and what each of them costs every packet. */
export function tapsSection(report: Report): Markup {
  const { taps, tapsLeftOut = 0, collectors } = report;
  const hot = taps.filter(({ onHotPath }) => onHotPath);
  const cold = taps.filter(({ onHotPath }) => !onHotPath);
  const unread = unreadTaps(collectors);
  const found =
    hot.length === 0
      ? unread === undefined
        ? ['No packet socket is on the path of every packet.']
        : []
      : [`${hotCount(report)} packet socket${hot.length === 1 ? ' is' : 's are'} on the path of every packet.`];
  const title = [...found, ...(unread === undefined ? [] : [unread])].join(' ');
  return markup`<section aria-labelledby="taps">
<h2 id="taps">Packet sockets and their cost</h2>
<p>${title}${tapsLeftOut === 0 ? '' : ` ${formats.count(tapsLeftOut)} more packet sockets are left out of this report.`}</p>
${hot.length === 0 ? nothing : table('Taps on the path of every packet, most expensive first', hot)}${
    cold.length === 0
      ? nothing
      : folded(`${cold.length} other packet socket${cold.length === 1 ? '' : 's'}, not on the path of every packet`, [
          table('Packet sockets that not every packet pays for', cold),
        ])
  }</section>
`;
}

function table(caption: string, taps: readonly Tap[]): Markup {
  return drawTable(packetSocketTable(taps), taps, { caption, className: 'taps', most: ROWS });
}

export function dropsSection(report: Report): Markup {
  const { rows, none, unknown } = lossesOf(report);
  const squeezed = report.cost.cpus.reduce((sum, cpu) => sum + (cpu.squeezed ?? 0), 0);
  return markup`<section aria-labelledby="drops">
<h2 id="drops">Losses by counter</h2>
${
  rows.length === 0
    ? nothing
    : drawTable(lossTable, rows, { caption: 'Lost in the window, by counter', className: 'stack', most: ROWS })
}${none.length === 0 ? nothing : markup`<p><b>None counted:</b> ${none.join('; ')}.</p>\n`}${
    unknown.length === 0 ? nothing : markup`<p><b>Not known:</b> ${unknown.join('; ')}.</p>\n`
  }${
    squeezed === 0
      ? nothing
      : markup`<p class="faint">net_rx_action stopped with work left ${formats.count(squeezed)} ${squeezed === 1 ? 'time' : 'times'} (time_squeeze): a delay, no loss.</p>\n`
  }</section>
`;
}
