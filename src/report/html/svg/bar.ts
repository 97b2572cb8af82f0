import type { CostPart } from '../../../generated/report.ts';
import { partsOf, partWords } from '../../words/phrases.ts';
import { formats } from '../../words/formats.ts';
import { markup, type Markup } from '../markup.ts';

const HEIGHT = 24;
/** Narrower parts, in percent of the whole width, have no room for their own figure. */
const LABELLED = 13;

/** Defined once in a page: the fill of what no measurement explains. */
export const hatch = markup`<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="1.5" height="6"/></pattern></defs></svg>`;

export interface Bar {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  readonly parts: readonly CostPart[];
  /** Whole of a bar that could not be split. */
  readonly wholeNs: number;
  /** What the full width stands for: the same for all bars of a figure, so that they can be compared. */
  readonly scaleNs: number;
}

/** A stacked bar. Positions are percentages, so that it fits any width and its text keeps its size. */
export function stackedBar({ id, title, parts, wholeNs, scaleNs }: Bar): Markup {
  const width = (ns: number): number => round((ns / scaleNs) * 100);
  let from = 0;
  const drawn = partsOf(parts).map(({ part, ns, share }) => {
    const x = round(from);
    const size = width(ns);
    from += size;
    const words = `${partWords[part].name} ${formats.ns(ns)}, ${formats.percent(share)}`;
    const label =
      size < LABELLED
        ? []
        : [markup`<text x="${x}%" dx="7" y="16" class="on-${part}">${formats.percent(share)}</text>`];
    return markup`<g><title>${words}</title><rect class="part-${part}" x="${x}%" width="${size}%" height="${HEIGHT}"/>${label}</g>`;
  });
  const unsplit = markup`<rect class="part-unsplit" width="${width(wholeNs)}%" height="${HEIGHT}"/>`;
  return markup`<svg class="bar" width="100%" height="${HEIGHT}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${title}</title><desc id="${id}-d">${describe(parts, wholeNs)}</desc>${drawn.length > 0 ? drawn : unsplit}</svg>`;
}

function describe(parts: readonly CostPart[], wholeNs: number): string {
  if (parts.length === 0) return `${formats.ns(wholeNs)} per packet, not split into parts`;
  return partsOf(parts)
    .map(({ part, ns, share }) => `${partWords[part].name} ${formats.ns(ns)}, ${formats.percent(share)}`)
    .join('; ');
}

/** Two decimals are finer than a pixel, and keep the file small and the same everywhere. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
