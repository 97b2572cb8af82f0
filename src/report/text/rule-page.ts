import { paragraph, show, wrap, type Style } from './layout.ts';

/** A line that begins something of its own: a heading, an item, a table, a quote, a rule. */
const BEGINS = /^(?:#|\||>|---)/;
const ITEM = /^(\s*(?:[-*]|\d+\.) )/;

/** A page in Markdown with its paragraphs and items laid out anew for the width; blocks of code and tables stay as they are. */
export function reflowed(page: string, style: Style): string[] {
  const lines: string[] = [];
  let open = '';
  let fenced = false;
  const close = (): void => {
    if (open !== '') lines.push(...laidOut(open, style));
    open = '';
  };
  for (const line of page.split('\n')) {
    if (line.startsWith('```')) fenced = !fenced;
    const asItIs = fenced || line.startsWith('```') || BEGINS.test(line) || (open === '' && /^ {4}/.test(line));
    if (asItIs || line.trim() === '') {
      close();
      lines.push(line);
    } else if (ITEM.test(line)) {
      close();
      open = line;
    } else open = open === '' ? line : `${open} ${line.trim()}`;
  }
  close();
  return lines;
}

function laidOut(text: string, style: Style): string[] {
  const mark = ITEM.exec(text)?.[1] ?? '';
  const [first = '', ...rest] = wrap(text.slice(mark.length).trim(), style.width - mark.length);
  return [`${mark}${first}`, ...rest.map((line) => `${' '.repeat(mark.length)}${line}`)];
}

/** The list of rules: one line each, and on a terminal no line beyond its width. */
export function ruleList(
  rules: readonly { readonly code: string; readonly id: string; readonly title: string }[],
  style: Style,
): string[] {
  const width = Math.max(...rules.map(({ id }) => id.length));
  return rules.flatMap(({ code, id, title }) => {
    const front = `${code}  ${id.padEnd(width)}  `;
    if (style.rows === undefined) return [`${front}${title}`];
    return paragraph(show(style, title), style.width - front.length).map(
      (line, index) => `${index === 0 ? front : ' '.repeat(front.length)}${line}`,
    );
  });
}
