import type { ProfileStack } from '../../../generated/report.ts';
import { partOfFunction } from '../../../profile/marks.ts';
import { partOf, partTitle } from '../../../profile/parts.ts';
import { formats } from '../../words/formats.ts';
import { markup, trusted, type Markup } from '../markup.ts';
import { round } from './bar.ts';

const ROW = 18;
/** Deeper frames are too narrow to matter, and a picture too high to read. */
const MOST_ROWS = 32;
/** Narrower boxes are not drawn: some two pixels of a wide screen. */
const LEAST_SHARE = 0.002;
/** A name is only written where about this share of the width is there for each of its letters. */
const SHARE_PER_LETTER = 0.0075;

interface Node {
  readonly name: string;
  samples: number;
  readonly children: Map<string, Node>;
}

interface Box {
  readonly node: Node;
  readonly depth: number;
  readonly from: number;
}

/** A flame graph that hangs down: the root above, widths by samples, colours by the class of the part. Titles tell the rest. */
export function icicle(id: string, title: string, stacks: readonly ProfileStack[]): Markup {
  const root = treeOf(stacks);
  const whole = root.samples;
  const boxes = boxesOf(root, whole);
  const rows = Math.max(...boxes.map(({ depth }) => depth)) + 1;
  const drawn = boxes.map(({ node, depth, from }) => boxMarkup(node, depth, from, whole));
  return markup`<svg class="icicle" width="100%" height="${rows * ROW}" role="img" aria-labelledby="${id}-title" focusable="false"><title id="${id}-title">${title}</title>
${drawn}</svg>`;
}

function treeOf(stacks: readonly ProfileStack[]): Node {
  const root: Node = { name: '', samples: 0, children: new Map() };
  for (const { stack, samples } of stacks) {
    root.samples += samples;
    let node = root;
    for (const name of stack.split(';').slice(0, MOST_ROWS)) {
      let child = node.children.get(name);
      if (child === undefined) node.children.set(name, (child = { name, samples: 0, children: new Map() }));
      child.samples += samples;
      node = child;
    }
  }
  return root;
}

function boxesOf(root: Node, whole: number): Box[] {
  const boxes: Box[] = [];
  const place = (parent: Node, depth: number, from: number): void => {
    let at = from;
    for (const node of [...parent.children.values()].sort(
      (a, b) => b.samples - a.samples || (a.name < b.name ? -1 : 1),
    )) {
      if (node.samples / whole < LEAST_SHARE) break;
      boxes.push({ node, depth, from: at });
      place(node, depth + 1, at);
      at += node.samples;
    }
  };
  place(root, 0, 0);
  return boxes;
}

function boxMarkup({ name, samples }: Node, depth: number, from: number, whole: number): Markup {
  const share = samples / whole;
  const id = name.startsWith('bpf_prog:') ? 'tc-bpf' : partOfFunction(name);
  const part = id === undefined ? '' : ` (${partTitle(id)})`;
  const letters = Math.floor(share / SHARE_PER_LETTER);
  const label = name.length <= letters ? name : letters >= 4 ? `${name.slice(0, letters - 1)}…` : '';
  const [x, width] = [`${round((100 * from) / whole)}%`, `${round(100 * share)}%`];
  return markup`<g><title>${name}${part}: ${formats.percent(share)}, ${formats.count(samples)} samples</title><rect class="frame ${trusted(`class-${id === undefined ? 'none' : partOf(id).class}`)}" x="${x}" y="${depth * ROW}" width="${width}" height="${ROW - 1}"/>${
    label === '' ? '' : markup`<text x="${x}" dx="3" y="${depth * ROW + 13}">${label}</text>`
  }</g>
`;
}
