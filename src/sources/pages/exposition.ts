import type { Labels } from '../../metrics/metric.ts';
import { fail, ok, type Failure, type Result } from '../../base/result.ts';

/** One line of a page. */
export interface PageSample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
  /** Milliseconds since 1970, where the page gives them. */
  readonly timestamp?: number;
}

/** Series of metrics that somebody asked for; a page of more is not one host's. */
const MOST_SAMPLES = 1_000_000;
/** Names of metrics: node_exporter has some 500, the largest pages of others some thousands. */
const MOST_NAMES = 100_000;
/** A name, a label or a value of more than this is none. */
const LONGEST_LINE = 64 * 1024;

const types = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);

/**
 * Parses a page in the Prometheus text format 0.0.4 to its last line, and refuses it as a whole when a line is not of
 * that format: a page that was cut off or mixed up must not pass for one with fewer metrics. Lines of names that are not
 * wanted are checked and left out. The reason begins with the number of the line.
 */
export function parseExposition(
  bytes: Uint8Array,
  wanted: (name: string) => boolean = () => true,
): Result<readonly PageSample[]> {
  const page = new Page(wanted);
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, at);
    page.line += 1;
    const refused = (reason: string): Failure => fail(`line ${page.line}: ${reason}`, at);
    if (end < 0) return refused('the page ends in the middle of a line');
    if (end - at > LONGEST_LINE) return refused(`longer than ${LONGEST_LINE} bytes`);
    const text = textOf(bytes.subarray(at, end));
    if (text === undefined) return refused('not UTF-8');
    const fault = page.read(text);
    if (fault !== undefined) return refused(fault);
    at = end + 1;
  }
  return ok(page.samples);
}

const NEWLINE = 10;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

const BLANK = /^[ \t]*$/;
const COMMENT = /^[ \t]*#/;
const DESCRIPTION = /^[ \t]*#[ \t]+(HELP|TYPE)(?:[ \t]+(.*))?$/;
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*/;
const VALUE = /^[ \t]*(\S+)(?:[ \t]+(\S+))?[ \t]*$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const WHOLE = /^-?\d{1,19}$/;

/** What has been read of a page so far. Each reading answers with what is wrong, or nothing. */
class Page {
  readonly samples: PageSample[] = [];
  line = 0;
  readonly #wanted: (name: string) => boolean;
  readonly #helped = new Set<string>();
  readonly #typed = new Set<string>();
  readonly #sampled = new Set<string>();

  constructor(wanted: (name: string) => boolean) {
    this.#wanted = wanted;
  }

  read(text: string): string | undefined {
    if (BLANK.test(text)) return undefined;
    if (Math.max(this.#sampled.size, this.#typed.size, this.#helped.size) > MOST_NAMES) {
      return `more than ${MOST_NAMES} metrics`;
    }
    return COMMENT.test(text) ? this.#describe(text) : this.#sample(text);
  }

  #describe(text: string): string | undefined {
    const [, keyword, rest = ''] = DESCRIPTION.exec(text) ?? [];
    if (keyword === undefined) return undefined;
    const [name = '', ...others] = rest.split(/[ \t]+/);
    if (!NAME.test(name)) return `${keyword} without the name of a metric`;
    if (keyword === 'HELP') {
      if (this.#helped.has(name)) return `a second HELP of ${cut(name)}`;
      this.#helped.add(name);
      return undefined;
    }
    if (this.#typed.has(name)) return `a second TYPE of ${cut(name)}`;
    if (this.#sampled.has(name)) return `TYPE of ${cut(name)} after its samples`;
    this.#typed.add(name);
    const words = others.filter((word) => word !== '');
    return words.length === 1 && types.has(words[0]!)
      ? undefined
      : `TYPE of ${cut(name)} is none of ${[...types].join(', ')}`;
  }

  #sample(text: string): string | undefined {
    const match = SAMPLE.exec(text);
    if (match === null) return 'neither a comment nor the name of a metric';
    const name = match[1]!;
    let labels: Labels = {};
    let at = match[0].length;
    if (text[at] === '{') {
      const read = readLabels(text, at + 1);
      if (typeof read === 'string') return read;
      ({ labels, end: at } = read);
    } else if (!/[ \t]$/.test(match[0])) return `${cut(name)} without a value`;
    const [, value, timestamp] = VALUE.exec(text.slice(at)) ?? [];
    if (value === undefined) return `${cut(name)} without a value, or with more than a value and a time`;
    const number = numberOf(value);
    if (number === undefined) return `the value of ${cut(name)} is no number`;
    if (timestamp !== undefined && !WHOLE.test(timestamp)) return `the time of ${cut(name)} is no whole number`;
    this.#sampled.add(name);
    if (!this.#wanted(name)) return undefined;
    if (this.samples.length === MOST_SAMPLES) return `more than ${MOST_SAMPLES} series`;
    this.samples.push({
      name,
      labels,
      value: number,
      ...(timestamp === undefined ? {} : { timestamp: Number(timestamp) }),
    });
    return undefined;
  }
}

const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\[\\"n])*)"[ \t]*/y;
const END = /[ \t]*\}/y;

/** Labels from behind the opening brace; a comma may follow the last one. */
function readLabels(text: string, from: number): { readonly labels: Labels; readonly end: number } | string {
  const labels: Record<string, string> = {};
  let at = from;
  for (let more = true; ;) {
    END.lastIndex = at;
    if (END.test(text)) return { labels, end: END.lastIndex };
    LABEL.lastIndex = at;
    const match = more ? LABEL.exec(text) : null;
    if (match === null) return 'labels are not like {name="value",...}';
    const [, name = '', raw = ''] = match;
    if (Object.hasOwn(labels, name)) return `the label ${cut(name)} twice`;
    if (name === '__name__') return 'a label __name__ beside the name';
    // Not an assignment: a label may be called __proto__.
    Object.defineProperty(labels, name, { value: unescaped(raw), enumerable: true });
    at = LABEL.lastIndex;
    more = text[at] === ',';
    if (more) at += 1;
  }
}

function unescaped(raw: string): string {
  return raw.includes('\\') ? raw.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)) : raw;
}

const special: Readonly<Record<string, number>> = { NaN: NaN, Inf: Infinity, '+Inf': Infinity, '-Inf': -Infinity };

function numberOf(text: string): number | undefined {
  if (NUMBER.test(text)) return Number(text);
  return Object.hasOwn(special, text) ? special[text] : undefined;
}

/** A name of the page, short enough for a line of ours. */
function cut(name: string): string {
  return name.length <= 80 ? name : `${name.slice(0, 80)}...`;
}
