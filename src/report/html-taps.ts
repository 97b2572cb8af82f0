import type { Report, Tap } from '../generated/report.ts';
import { left } from './html-cost.ts';
import { markup, nothing, type Markup } from './html-markup.ts';
import { folded, name, tableOf, type Cell } from './html-table.ts';
import { lossesOf, ownerWords, pathWords, placed, ringWords } from './phrases.ts';
import { round } from './svg-bar.ts';
import { formats } from './words.ts';

const ROWS = 200;
const right = { align: 'right' } as const;

/** Who listens in, and what each of them costs every packet. */
export function tapsSection({ taps }: Report): Markup {
  const hot = taps.filter(({ onHotPath }) => onHotPath);
  const cold = taps.filter(({ onHotPath }) => !onHotPath);
  const dearest = Math.max(0, ...hot.map(({ nsPerPacket }) => nsPerPacket ?? 0));
  const title =
    hot.length === 0
      ? 'No packet socket is on the path of every packet.'
      : `${hot.length} packet socket${hot.length === 1 ? ' is' : 's are'} on the path of every packet.`;
  return markup`<section aria-labelledby="taps">
<h2 id="taps">Taps and their bill</h2>
<p>${title}</p>
${hot.length === 0 ? nothing : table('Taps on the path of every packet, dearest first', hot, dearest)}${
    cold.length === 0
      ? nothing
      : folded(`${cold.length} other packet socket${cold.length === 1 ? '' : 's'}, on no packet's path but their own`, [
          table('Packet sockets that not every packet pays for', cold, 0),
        ])
  }</section>
`;
}

function table(caption: string, taps: readonly Tap[], dearest: number): Markup {
  const shown = taps.slice(0, ROWS);
  return tableOf({
    caption: `${caption}${left(taps.length - shown.length)}`,
    className: 'taps',
    heads: [
      { name: 'Owner' },
      { name: 'Device' },
      { name: 'Sees' },
      { name: 'Hook', whole: true },
      { name: 'Ring, fanout' },
      { name: 'Filter' },
      { name: 'Dropped', ...right },
      { name: 'Price per packet', ...right },
    ],
    rows: shown.map((tap) => [
      name(ownerWords(tap)),
      name(placed(tap.device, tap.netns)),
      `${pathWords(tap)}${tap.promiscuous === true ? ', promiscuous' : ''}`,
      name(tap.hook),
      ringWords(tap),
      tap.filter ?? 'not known',
      tap.drops === null ? '-' : formats.count(tap.drops),
      price(tap, dearest),
    ]),
  });
}

function price({ nsPerPacket, priceCertainty, prices }: Tap, dearest: number): Cell {
  if (nsPerPacket === null) return 'not measured';
  const bar =
    dearest === 0
      ? nothing
      : markup`<svg class="bill" width="100%" height="6" aria-hidden="true" focusable="false"><rect class="part-taps" width="${round((nsPerPacket / dearest) * 100)}%" height="6"/></svg>`;
  const others = prices.slice(1, 4).map(({ device, nsPerPacket: ns }) => `${formats.ns(ns)} on ${device}`);
  return markup`${formats.ns(nsPerPacket)}${priceCertainty === null ? nothing : ` ${priceCertainty}`}${bar}${
    others.length === 0 ? nothing : markup`<small>${others.join(', ')}</small>`
  }`;
}

export function dropsSection(report: Report): Markup {
  const { rows, none, unknown } = lossesOf(report);
  const squeezed = report.cost.cpus.reduce((sum, cpu) => sum + (cpu.squeezed ?? 0), 0);
  const shown = rows.slice(0, ROWS);
  return markup`<section aria-labelledby="drops">
<h2 id="drops">Drops</h2>
${
  shown.length === 0
    ? nothing
    : tableOf({
        caption: `Where packets were lost in the window${left(rows.length - shown.length)}`,
        className: 'stack',
        heads: [{ name: 'Where' }, { name: 'What' }, { name: 'Lost', ...right }, { name: 'Per second', ...right }],
        rows: shown.map(({ where, counts, packets, perSecond }) => [
          name(where),
          counts,
          packets === null ? '-' : formats.count(packets),
          perSecond === null ? '-' : formats.rate(perSecond),
        ]),
      })
}${none.length === 0 ? nothing : markup`<p><b>None counted:</b> ${none.join('; ')}.</p>\n`}${
    unknown.length === 0 ? nothing : markup`<p><b>Not known:</b> ${unknown.join('; ')}.</p>\n`
  }${
    squeezed === 0
      ? nothing
      : markup`<p class="faint">net_rx_action stopped with work left ${formats.count(squeezed)} ${squeezed === 1 ? 'time' : 'times'} (time_squeeze): a delay, no loss.</p>\n`
  }</section>
`;
}
