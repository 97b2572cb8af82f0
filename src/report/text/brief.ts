import type { Remedy, Report, ReportFinding } from '../../generated/report.ts';
import type { AgainstBaseline } from '../compare/against-baseline.ts';
import { asRootWords, briefOf, limitsWords, overheadWords, runWords, unseenWords, type Brief } from '../words/brief.ts';
import { verdictWord } from '../words/phrases.ts';
import { countWords } from '../words/rules-told.ts';
import { columns, cut, paint, paragraph, show, type Style, type Tone } from './layout.ts';

export interface BriefStyle extends Style {
  /** Whether everything else is printed as well. */
  readonly verbose: boolean;
}

/** Where the lines of a label begin. */
const INDENT = 11;
/** The least a screen has, and the line that the shell then wants for its prompt. */
const SCREEN_LINES = 24;
const PROMPT_LINES = 1;

const outcomeTones = {
  critical: 'critical',
  warning: 'warning',
  info: 'strong',
  ok: 'good',
  'not-measured': 'warning',
  'not-applicable': 'strong',
} as const satisfies Record<ReportFinding['outcome'], Tone>;

/**
 * The report on one screen. In a file the verdict comes first and everything is said in full; on a terminal it is the last
 * thing on the screen, and what surrounds it is cut to the lines there are.
 */
export function briefSection(report: Report, style: BriefStyle, against: AgainstBaseline | undefined): string[] {
  const brief = briefOf(report);
  const root = asRootWords(report);
  const first = root === undefined ? [] : clamped(paragraph(show(style, root), style.width), 1, style);
  const around = circumstances(report, style, against);
  if (style.rows === undefined) {
    const others = othersLines(brief, style, brief.others.length);
    const verdict = verdictLines(brief, style, unlimited);
    return [
      ...first,
      ...(first.length === 0 ? [] : ['']),
      ...verdict,
      '',
      ...others,
      ...(others.length === 0 ? [] : ['']),
      ...around,
    ];
  }
  const room = Math.max(SCREEN_LINES, style.rows) - PROMPT_LINES - around.length - first.length - 1;
  const screens = limits.map((limit) => {
    const verdict = verdictLines(brief, style, limit);
    const left = room - rowsOf(verdict, style);
    return { left, lines: [...first, ...around, ...othersLines(brief, style, left - 1), '', ...verdict] };
  });
  // The verdict in full unless it leaves too little of what else was found.
  const least = Math.min(brief.others.length + 1, OTHERS_AT_LEAST);
  return (screens.find(({ left }) => left >= (brief.others.length === 0 ? 0 : least)) ?? screens.at(-1)!).lines;
}

/** The label, two findings, and how many more there are. */
const OTHERS_AT_LEAST = 4;

interface LineLimits {
  /** Lines of the reason, and of each other text. */
  readonly why: number;
  /** Rows that a command may take. */
  readonly commands: number;
}

const unlimited: LineLimits = { why: Infinity, commands: Infinity };
/** Tried one after the other until the screen holds it all. */
const limits: readonly LineLimits[] = [8, 6, 5, 4, 3, 2, 1].map((rows) => ({ why: rows, commands: rows }));

/** Rows that lines take on a terminal, which breaks those that are too long. */
function rowsOf(lines: readonly string[], { width }: Style): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(columns(line) / width)), 0);
}

function verdictLines(brief: Brief, style: BriefStyle, limit: LineLimits): string[] {
  const { principal, title, outcome, certainty, facts, fix } = brief;
  const code = principal === undefined ? '' : ` ${principal.code} ${principal.rule}`;
  const label = verdictWord(brief).toUpperCase();
  return [
    `${paint(style, outcomeTones[outcome], label)}${show(style, `${code}${certainty === null ? '' : ` (${certainty})`}`)}`,
    ...clamped(paragraph(show(style, title, LONGEST), style.width), Math.max(2, limit.why), style),
    ...facts.flatMap(({ label: name, words }) => labelled(name, words, style, name === 'Why' ? limit.why : 2)),
    ...(fix === undefined ? [] : fixLines(fix, brief.moreFixes, style, limit)),
  ];
}

/** Where all the rest is. */
function elsewhere({ verbose, rows }: BriefStyle): string {
  return verbose ? (rows === undefined ? 'below' : 'above') : '-v';
}

function fixLines(fix: Remedy, more: number, style: BriefStyle, limit: LineLimits): string[] {
  const { action, command, verify, undo, lasts } = fix;
  const others = more === 0 ? '' : ` (${more} more: ${elsewhere(style)})`;
  return [
    ...labelled('Fix', `${action}${others}`, style, limit.why),
    ...typed('', command, style, limit),
    ...typed('Check', verify, style, limit),
    ...typed('Undo', undo ?? null, style, limit),
    ...typed('Persist', lasts ?? null, style, limit),
  ];
}

/** Longest text shown, commands included: what the host gave has no bound of its own. */
const LONGEST = 4000;

function labelled(label: string, words: string, style: Style, most = Infinity): string[] {
  const lines = paragraph(show(style, words, LONGEST), style.width - INDENT);
  return behind(label, clamped(lines, style.rows === undefined ? Infinity : most, style, INDENT));
}

function behind(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(INDENT)}${line}`);
}

/** A command stands on one line, to be copied, however long; where it would take the screen it is said where it stands. */
function typed(label: string, command: string | null, style: BriefStyle, { commands }: LineLimits): string[] {
  if (command === null) return [];
  const rows = Math.ceil((INDENT + 2 + columns(command)) / style.width);
  if (style.rows !== undefined && rows > commands)
    return [`${label.padEnd(INDENT)}too long for a screen: ${elsewhere(style)}`];
  return [`${label.padEnd(INDENT)}$ ${show(style, command, LONGEST)}`];
}

/** No more than so many lines, the last of them cut. */
function clamped(lines: readonly string[], most: number, style: Style, indent = 0): string[] {
  if (style.rows === undefined || lines.length <= most) return [...lines];
  const rest = cut(lines.slice(most - 1).join(' '), style.width - indent, style);
  // Half a number would be another number, and one without its unit would be none.
  const whole = rest.replace(/(?: [\d.,]+)? [^ ]*(…|\.\.\.)$/, ' $1');
  return [...lines.slice(0, most - 1), columns(whole) * 2 > columns(rest) ? whole : rest];
}

function othersLines({ others }: Brief, style: BriefStyle, most: number): string[] {
  if (others.length === 0) return [];
  const shown = others.length <= most ? others : others.slice(0, Math.max(0, most - 1));
  const left = others.length - shown.length;
  return [
    'Also found',
    ...shown.flatMap(({ outcome, code, words }) => {
      const front = `  ${outcome.padEnd(8)} ${code} `;
      const [first = '', ...rest] = clamped(
        paragraph(show(style, words, LONGEST), style.width - front.length),
        1,
        style,
        front.length,
      );
      return [`${front}${first}`, ...rest.map((line) => `${' '.repeat(front.length)}${line}`)];
    }),
    ...(left > 0 ? [`  and ${left} more: ${elsewhere(style)}`] : []),
  ];
}

/** Reasons told where not all are, and lines that they may take of a terminal. */
const REASONS = 2;
const UNSEEN_LINES = 2;

/** What could not be seen: on a terminal as many reasons as two lines hold, with where the others are. */
function unseenLines(report: Report, style: BriefStyle): string[] {
  const told = (most: number): string => unseenWords(report, most, elsewhere(style)) ?? '';
  if (report.notMeasured.length === 0) return [];
  const [all = [], fewer = []] = [REASONS, 1].map((most) =>
    paragraph(show(style, told(most), LONGEST), style.width - INDENT),
  );
  const lines = style.rows === undefined || all.length <= UNSEEN_LINES ? all : fewer;
  if (lines.length <= UNSEEN_LINES || style.rows === undefined) return behind('Not run', lines);
  // A reason that is too long for a screen is cut: how many there are, and where, stands before it.
  return labelled('Not run', told(0), style, UNSEEN_LINES);
}

/** What was looked at and how: one line each on a terminal, and two of what could not be seen. */
function circumstances(report: Report, style: BriefStyle, against: AgainstBaseline | undefined): string[] {
  const limits = limitsWords(report);
  return [
    ...labelled('Checks', countWords(report.findings), style, 1),
    ...unseenLines(report, style),
    ...(limits === undefined ? [] : labelled('Limits', limits, style, 1)),
    ...(against === undefined ? [] : labelled('Against', `${against.name}: ${against.words}`, style, 2)),
    ...labelled('Overhead', overheadWords(report), style, 1),
    ...labelled('Run', runWords(report), style, 1),
    ...labelled(
      'More',
      style.verbose
        ? '--format html draws it, --format json has every figure'
        : '-v shows the evidence and all tables, --format html draws them',
      style,
      1,
    ),
  ];
}
