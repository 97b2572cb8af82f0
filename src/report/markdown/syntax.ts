import { visible } from '../escape.ts';

/** Longest text in prose, and longest command. */
const LONGEST = 1200;
const LONGEST_COMMAND = 4000;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Trackers look for people, issues and addresses after the Markdown is rendered, and so past any backslash. An invisible
 * character in the right place breaks the word: cmark-gfm takes it for a part of a domain, hence before the dot of www.
 */
const BREAK = '&#8203;';
const BREAK_AFTER = /[@#](?=[\p{L}\p{N}_-])/gu;
const BREAK_BEFORE = /:(?=\/\/)|(?<=\bwww)\.|(?<=\bgh)-(?=\d)|(?<=\b(?:mailto|xmpp)):/gi;

/** Markers inside a line; an underscore between letters or digits is none. */
const INLINE = /[\\`*{}[\]|~$]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;
/** Markers of headings, lists and rules at the start of a line. */
const LEADING = /^(\s*)([-+=#]+(?=\s|$)|\d{1,9}(?=[.)](?:\s|$)))/;

/** Text in prose or in a table cell: no markup, HTML, mention, reference or link is left in it. */
export function prose(text: string): string {
  return visible(text, LONGEST)
    .replace(BREAK_AFTER, (each) => `${each}\u0000`)
    .replace(BREAK_BEFORE, (each) => `\u0000${each}`)
    .replace(/[&<>]/g, (each) => entities[each]!)
    .replace(INLINE, (each) => `\\${each}`)
    .replace(LEADING, (_, space: string, marker: string) =>
      /\d/.test(marker) ? `${space}${marker}\\` : `${space}\\${marker}`,
    )
    .replaceAll('\u0000', BREAK);
}

/** A name the host gave, as code: nothing in it is acted upon. A table cell still needs its pipes escaped. */
export function code(text: string, max = 200): string {
  const safe = visible(text, max);
  const ticks = '`'.repeat(longestRun(safe) + 1);
  const pad = safe.startsWith('`') || safe.endsWith('`') || safe.trim() === '' ? ' ' : '';
  return `${ticks}${pad}${safe}${pad}${ticks}`;
}

/** A block to copy from, its fence longer than any run of backticks in it. */
export function fenced(text: string, language = 'sh', indent = ''): string[] {
  const safe = visible(text, LONGEST_COMMAND);
  const fence = '`'.repeat(Math.max(3, longestRun(safe) + 1));
  return [`${fence}${language}`, safe, fence].map((line) => `${indent}${line}`);
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}

export interface MarkdownColumn {
  readonly head: string;
  readonly align?: 'right';
}

/** A table. Cells are Markdown already; a pipe that is not escaped yet would end one, even inside code. */
export function table(columns: readonly MarkdownColumn[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapePipes).join(' | ')} |`;
  return [
    line(columns.map(({ head }) => head)),
    `|${columns.map(({ align }) => (align === undefined ? ' --- ' : ' ---: ')).join('|')}|`,
    ...rows.map(line),
  ];
}

function escapePipes(cell: string): string {
  return cell.replace(/(\\*)\|/g, (_, backslashes: string) =>
    backslashes.length % 2 === 1 ? `${backslashes}|` : `${backslashes}\\|`,
  );
}

/** Folded where the tracker can (GitHub, GitLab); elsewhere the tags show, and so does everything else. */
export function folded(summary: string, lines: readonly string[]): string[] {
  return ['<details>', `<summary>${summary}</summary>`, '', ...lines, '', '</details>', ''];
}
