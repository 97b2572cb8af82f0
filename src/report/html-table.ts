import { markup, nothing, type Markup } from './html-markup.ts';

export interface Head {
  readonly name: string;
  readonly align?: 'right';
  /** Its cells are words of ours or of the kernel, and short: never broken. */
  readonly whole?: true;
}

export type Cell = string | Markup;

export interface Table {
  readonly caption: string;
  readonly heads: readonly Head[];
  readonly rows: readonly (readonly Cell[])[];
  /** The first cell of a row names it. */
  readonly className?: string;
}

/**
 * A table that becomes a list of cards on a narrow screen: each cell is then labelled from its column. Display types other
 * than a table's make some browsers forget that it is one, hence the roles.
 */
export function tableOf({ caption, heads, rows, className = '' }: Table): Markup {
  const side = ({ align, whole }: Head): Markup => classOf(align !== undefined ? 'r' : whole === true ? 'w' : '');
  const head = heads.map((each) => markup`<th role="columnheader" scope="col"${side(each)}>${each.name}</th>`);
  const body = rows.map((row) => {
    const cells = row.map((cell, index) => {
      const each = heads[index]!;
      return index === 0
        ? markup`<th role="rowheader" scope="row">${cell}</th>`
        : markup`<td role="cell"${side(each)} data-label="${each.name}">${cell}</td>`;
    });
    return markup`<tr role="row">${cells}</tr>\n`;
  });
  return markup`<table role="table"${classOf(className)}><caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${head}</tr></thead>
<tbody role="rowgroup">
${body}</tbody></table>`;
}

/** A class attribute, or none. */
export function classOf(names: string): Markup {
  return names === '' ? nothing : markup` class="${names}"`;
}

/** Folded on a screen, open on paper. */
export function folded(summary: Cell, content: readonly Markup[]): Markup {
  return markup`<details><summary>${summary}</summary>
${content}</details>`;
}

/** A name the host gave: in the type of names, and kept apart from the text around it. */
export function name(text: string): Markup {
  return markup`<code>${text}</code>`;
}

export function command(text: string): Markup {
  return markup`<pre><code>${text}</code></pre>`;
}
