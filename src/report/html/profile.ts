import type { Profile, ProfileDirection, Report } from '../../generated/report.ts';
import { deviceProfileTable, directionWords, partTable, samplingWords } from '../tables/profile.ts';
import { markup, nothing, trusted, type Markup } from './markup.ts';
import { icicle } from './svg/icicle.ts';
import { drawTable, folded } from './table.ts';

const MOST_PARTS = 40;
const MOST_DEVICES = 200;

/** Colours of the flame graphs, by the classes that profiles of the network stack are sorted into. */
const classes = [
  ['netdevice', 'device, driver, queues, taps'],
  ['tcp-ip', 'protocols and netfilter'],
  ['data-copy', 'copies'],
  ['skb', 'packet structures'],
  ['memory', 'memory'],
  ['lock', 'locks'],
  ['scheduling', 'wake-ups and scheduling'],
  ['other', 'other'],
  ['none', 'of no part by itself'],
] as const;

/** Where a packet's time goes: parts by direction, and a flame graph of each. */
export function profileSection({ profile, host }: Report): Markup {
  if (profile === undefined) return nothing;
  const told = profile.directions.filter(({ samples }) => samples > 0);
  return markup`<section aria-labelledby="profile">
<h2 id="profile">Where a packet's time goes</h2>
${told.map(directionMarkup)}${devices(profile)}${told.length === 0 ? nothing : legend()}<p class="faint">${samplingWords(profile, host.machine)}</p>
</section>
`;
}

function directionMarkup(direction: ProfileDirection): Markup {
  const { name, title, rows, lines } = directionWords(direction, MOST_PARTS);
  return markup`<h3>${title}</h3>
${rows.length === 0 ? nothing : drawTable(partTable, direction.parts, { caption: `${name} by part, largest first`, className: 'stack', most: MOST_PARTS })}
${rows.length === 0 ? nothing : lines.map((line) => markup`<p>${line}</p>\n`)}${
    rows.length === 0 || direction.stacks.length === 0
      ? nothing
      : markup`<figure class="flames"><figcaption>Callers above, what they call below; width is time. A box tells its function, part and share.</figcaption>
${icicle(`flames-${direction.direction}`, `Flame graph: ${name}`, direction.stacks)}
</figure>
`
  }`;
}

function devices({ devices: found }: Profile): Markup {
  if (found.length === 0) return nothing;
  return folded(found.length === 1 ? '1 watched device' : `${found.length} watched devices`, [
    drawTable(deviceProfileTable, found, {
      caption: 'Devices, most expensive first',
      className: 'wide',
      most: MOST_DEVICES,
    }),
  ]);
}

function legend(): Markup {
  return markup`<ul class="legend">${classes.map(
    ([name, words]) =>
      markup`<li><svg class="key" width="12" height="12" aria-hidden="true" focusable="false"><rect class="frame ${trusted(`class-${name}`)}" width="12" height="12"/></svg> ${words}</li>`,
  )}</ul>
`;
}
