import { visible } from '../escape.ts';

/** HTML that is safe to put into a page as it stands. Only `markup` makes it. */
export class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }
}

export type Piece = string | number | Markup | readonly Piece[];

/** Longest text shown, commands and PromQL included. */
const LONGEST = 4000;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** The one place where text becomes HTML: what is hidden is made visible, what is markup becomes text. */
export function escapeHtml(text: string): string {
  return visible(text, LONGEST).replace(/[&<>"']/g, (each) => entities[each]!);
}

/**
 * A template whose values are escaped, in text as in quoted attributes, unless they are Markup themselves. (Under the name
 * `html` prettier would reformat the template, and with it what stands in `pre`.)
 */
export function markup(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(
    parts.map((part, index) => (index < pieces.length ? `${part}${htmlOf(pieces[index]!)}` : part)).join(''),
  );
}

function htmlOf(piece: Piece): string {
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === 'string') return escapeHtml(piece);
  if (typeof piece === 'number') return String(piece);
  return piece.map(htmlOf).join('');
}

export const nothing = markup``;

export function join(pieces: readonly Markup[], between: string): Markup {
  return new Markup(pieces.map(({ text }) => text).join(escapeHtml(between)));
}

/** Text known to be harmless inside an element, such as our own style sheet. Never for anything a report holds. */
export function trusted(text: string): Markup {
  return new Markup(text);
}
