import { alignOf, columnsIn, written, type Column, type Table, type Written } from '../tables/table.ts';
import { formats } from '../words/formats.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { round } from './svg/bar.ts';

export interface Drawing {
  readonly caption: string;
  /** At which width the rows become cards: `stack`, `taps`, `wide` or `widest`. */
  readonly className: string;
  /** Most rows drawn; the caption says how many more there are. */
  readonly most?: number;
}

/**
 * A table that becomes a list of cards on a narrow screen: each cell is then labelled from its column. Display types other
 * than a table's make some browsers forget that it is one, hence the roles. The first cell of a row names it.
 */
export function drawTable<Row>(table: Table<Row>, rows: readonly Row[], { caption, className, most }: Drawing): Markup {
  const shown = columnsIn(table, 'html', rows);
  const drawn = rows.slice(0, most);
  const head = shown.map((column) => markup`<th role="columnheader" scope="col"${sideOf(column)}>${column.label}</th>`);
  const body = drawn.map((row) => {
    const cells = shown.map((column, index) => {
      const cell = cellMarkup(written(column, row));
      return index === 0
        ? markup`<th role="rowheader" scope="row">${cell}</th>`
        : markup`<td role="cell"${sideOf(column)} data-label="${column.label}">${cell}</td>`;
    });
    return markup`<tr role="row">${cells}</tr>\n`;
  });
  return markup`<table role="table"${classOf(className)}><caption>${caption}${left(rows.length - drawn.length)}</caption>
<thead role="rowgroup"><tr role="row">${head}</tr></thead>
<tbody role="rowgroup">
${body}</tbody></table>`;
}

function sideOf<Row>(column: Column<Row>): Markup {
  return classOf(alignOf(column) === 'right' ? 'r' : column.whole === true ? 'w' : '');
}

function cellMarkup({ kind, text, bar, also }: Written): string | Markup {
  if (kind === 'name') return name(text);
  if (bar === undefined && also.length === 0) return text;
  return markup`${text}${
    bar === undefined
      ? nothing
      : markup`<svg class="bill" width="100%" height="6" aria-hidden="true" focusable="false"><rect class="part-taps" width="${round(bar * 100)}%" height="6"/></svg>`
  }${also.length === 0 ? nothing : markup`<small>${also.join(', ')}</small>`}`;
}

/** How many rows are not drawn, as the end of a caption. */
function left(rows: number): string {
  return rows > 0 ? `; ${formats.count(rows)} more in the JSON report` : '';
}

/** A class attribute, or none. */
export function classOf(names: string): Markup {
  return names === '' ? nothing : markup` class="${names}"`;
}

/** Folded on a screen, open on paper. */
export function folded(summary: string | Markup, content: readonly Markup[]): Markup {
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
