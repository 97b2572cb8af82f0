import assert from 'node:assert/strict';

const VOID = new Set(['meta', 'br', 'hr', 'img', 'input', 'link', 'col', 'wbr']);
/** What HTML lets stand without a slash or an end is not used by the report, SVG's empty elements aside. */
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9:-]*(?:="[^"<>]*")?)*)\s*(\/?)>/y;

export interface Element {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/**
 * A strict reading of a page of ours: every element is ended in its order, every attribute is quoted, text holds neither
 * `<` nor a bare `&`. Returns the elements; fails at the first thing that is otherwise.
 */
export function elementsOf(page: string): Element[] {
  assert.ok(page.startsWith('<!doctype html>\n'));
  const found: Element[] = [];
  const open: string[] = [];
  let at = '<!doctype html>'.length;
  while (at < page.length) {
    const next = page.indexOf('<', at);
    const text = page.slice(at, next < 0 ? page.length : next);
    assert.doesNotMatch(text, />|&(?!(?:amp|lt|gt|quot|#39);)/, `text ${JSON.stringify(text.slice(0, 80))}`);
    if (next < 0) break;
    TAG.lastIndex = next;
    const match = TAG.exec(page);
    assert.ok(match, `no tag: ${JSON.stringify(page.slice(next, next + 80))}`);
    const [whole, end, tag = '', attributes = '', closed] = match;
    at = next + whole.length;
    if (end === '/') {
      assert.equal(open.pop(), tag, `</${tag}> ends what was not open, at ${page.slice(next - 60, next + 20)}`);
      continue;
    }
    const pairs = [...attributes.matchAll(/([a-zA-Z][a-zA-Z0-9:-]*)(?:="([^"]*)")?/g)];
    found.push({ tag, attributes: new Map(pairs.map(([, name = '', value = '']) => [name, value])) });
    if (VOID.has(tag) || closed === '/') continue;
    if (tag === 'script' || tag === 'style') {
      at = page.indexOf(`</${tag}>`, at);
      assert.ok(at > 0);
    }
    open.push(tag);
  }
  assert.deepEqual(open, []);
  return found;
}

/** The text of a page as a reader sees it, style sheet and data left out. */
export function textOf(page: string): string {
  const plain = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" } as const;
  return page
    .replace(/<(style|script)[^>]*>[^]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: keyof typeof plain) => plain[name]);
}
