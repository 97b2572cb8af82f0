/** Stacks as flame graph tools read them: functions joined by semicolons, from the root to the leaf. */
import type { Direction } from './direction.ts';

export interface FoldedStack {
  readonly direction: Direction;
  readonly stack: string;
  readonly samples: number;
}

interface Foldable {
  readonly row: { readonly direction: Direction; readonly samples: number };
  readonly frames: readonly { readonly name: string }[];
}

const SEPARATOR = ';';

/**
 * At most `most` stacks of each direction, the largest first. What is over is counted with the function that called its leaf, and
 * so on outwards, so that no sample is lost and the picture only loses its finest tips.
 */
export function foldStacks(stacks: readonly Foldable[], most: number): readonly FoldedStack[] {
  const byDirection = new Map<Direction, Map<string, number>>();
  for (const { row, frames } of stacks) {
    const folded = byDirection.get(row.direction) ?? new Map<string, number>();
    byDirection.set(row.direction, folded);
    add(folded, frames.map(({ name }) => name.replaceAll(SEPARATOR, ':')).join(SEPARATOR), row.samples);
  }
  return [...byDirection].flatMap(([direction, folded]) => {
    shorten(folded, most);
    return largestFirst(folded).map(([stack, samples]) => ({ direction, stack, samples }));
  });
}

function shorten(folded: Map<string, number>, most: number): void {
  while (folded.size > most) {
    const over = largestFirst(folded).slice(most);
    let cut = 0;
    for (const [stack, samples] of over) {
      const end = stack.lastIndexOf(SEPARATOR);
      if (end < 0) continue;
      folded.delete(stack);
      add(folded, stack.slice(0, end), samples);
      cut += 1;
    }
    // Only roots are left: as many as there are, and no more than a handful.
    if (cut === 0) return;
  }
}

function add(folded: Map<string, number>, stack: string, samples: number): void {
  folded.set(stack, (folded.get(stack) ?? 0) + samples);
}

function largestFirst(folded: ReadonlyMap<string, number>): [string, number][] {
  return [...folded].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}
