/** Which part a function belongs to, by its name alone. */
import { parts, type Part, type PartId } from './parts.ts';

export function marked(texts: readonly string[]): (name: string) => boolean {
  const [exact, fronts] = split(texts.join(' '));
  return (name) => exact.has(name) || fronts.some((front) => name.startsWith(front));
}

function split(marks: string): readonly [ReadonlySet<string>, readonly string[]] {
  const words = marks.split(/\s+/).filter((word) => word !== '');
  return [
    new Set(words.filter((word) => !word.endsWith('*'))),
    words.filter((word) => word.endsWith('*')).map((word) => word.slice(0, -1)),
  ];
}

export type AnyPart = Part & { readonly id: PartId };

const exactMarks = new Map<string, AnyPart>();
/** By their first three characters, the longest first: a few hundred fronts would be a long walk for each function. */
const frontMarks = new Map<string, (readonly [string, AnyPart])[]>();
const shortFronts: (readonly [string, AnyPart])[] = [];

for (const part of parts) {
  const [exact, fronts] = split(part.marks);
  for (const name of exact) exactMarks.set(name, part);
  for (const front of fronts) {
    if (front.length < 3) shortFronts.push([front, part]);
    else frontMarks.set(front.slice(0, 3), [...(frontMarks.get(front.slice(0, 3)) ?? []), [front, part]]);
  }
}
for (const list of frontMarks.values()) list.sort(([a], [b]) => b.length - a.length);

const marks = new Map<string, AnyPart | undefined>();

/** The part that a function marks by its name; remembered, since the same few hundred come again and again. */
export function markOf(name: string): AnyPart | undefined {
  if (marks.has(name)) return marks.get(name);
  const fits = ([front]: readonly [string, AnyPart]): boolean => name.startsWith(front);
  const part = exactMarks.get(name) ?? frontMarks.get(name.slice(0, 3))?.find(fits)?.[1] ?? shortFronts.find(fits)?.[1];
  marks.set(name, part);
  return part;
}

export function partOfFunction(name: string): PartId | undefined {
  return markOf(name)?.id;
}
