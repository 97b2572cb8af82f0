import type { Fleet } from '../generated/fleet.ts';
import type { Report } from '../generated/report.ts';
import type { Comparison } from './compare/comparison.ts';

/** What JSON.stringify leaves as it is and a terminal would act on, or an editor would not show. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** The report as JSON: the same data, the fields always in the order of the schema, nothing invisible in it. */
export function renderJson(report: Report | Comparison | Fleet): string {
  const text = JSON.stringify(report, undefined, 2);
  return `${text.replace(HIDDEN, (character) => (character === '\n' ? character : unicodeEscape(character)))}\n`;
}

function unicodeEscape(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}
