import type { Report } from '../../generated/report.ts';
import { deviceProfileTable, directionWords, partTable, samplingWords } from '../tables/profile.ts';
import { paragraph, show, type Style } from './layout.ts';
import { drawTable } from './table.ts';

/** The parts of a packet's cost in each direction, in descending order, and what is below the last one shown. */
export function profileLines({ profile, host }: Report, style: Style): string[] {
  if (profile === undefined) return [];
  const say = (words: string): string[] => paragraph(show(style, words), style.width, '  ', 2);
  const priced = profile.devices.filter(({ nsPerPacket }) => nsPerPacket !== null);
  return [
    ...profile.directions.flatMap((direction) => {
      if (direction.samples === 0) return [];
      const { title, rows, below, lines } = directionWords(direction, Infinity);
      return [
        '',
        ...say(`${title}.`),
        ...drawTable(style, partTable, rows, '    '),
        ...(rows.length === 0 || below === '' ? [] : [show(style, `    ${below}`)]),
        ...(rows.length === 0 ? [] : lines.flatMap(say)),
      ];
    }),
    ...(priced.length === 0 ? [] : ['', ...drawTable(style, deviceProfileTable, priced)]),
    '',
    ...say(samplingWords(profile, host.machine)),
  ];
}
