// A reporter for `node --test` that writes each failure as a line of JSON, and the list that is made of these lines: the
// last thing that `npm test` prints, short enough for whoever sees only the end of a log.
import { relative, resolve } from 'node:path';

/** Most lines of a message in the list, and most of all failures together. */
const MESSAGE_LINES = 8;
const LIST_LINES = 80;
const LINE_WIDTH = 200;
/** What a file wrote to stderr before it failed as a whole; the last of it. */
const STDERR_CHARACTERS = 2000;

/**
 * @typedef {object} Failure
 * @property {string} part the part of `npm test` it belongs to
 * @property {string} where file and line
 * @property {readonly string[]} names of the test and what it is in, the outermost first
 * @property {string} message
 */

/**
 * The reporter. A test that fails only because one inside it did is left out, and so is one marked `todo`.
 * @param {AsyncIterable<{type: string, data: any}>} events
 */
export default async function* failures(events) {
  /** @type {string[]} */
  const names = [];
  /** @type {Map<string, string>} */
  const written = new Map();
  for await (const { type, data } of events) {
    // Some versions of Node name a file in full, others from where they were started.
    const file = data.file === undefined ? '' : relative('.', resolve(data.file));
    if (type === 'test:stderr')
      written.set(file, `${written.get(file) ?? ''}${data.message}`.slice(-STDERR_CHARACTERS));
    if (type === 'test:start') names.splice(data.nesting, Infinity, data.name);
    if (type !== 'test:fail' || (data.todo !== undefined && data.todo !== false)) continue;
    const error = data.details.error;
    if (error.failureType === 'subtestsFailed') continue;
    // A file that failed as a whole bears its own name, and says nothing but that.
    const whole = error.exitCode !== undefined;
    const ended = error.signal === null ? `exit code ${error.exitCode}` : `ended by ${error.signal}`;
    const message = whole ? `${ended}\n${lastWords(written.get(file) ?? '')}` : messageOf(error);
    yield `${JSON.stringify({
      where: whole ? file : `${file}:${data.line}`,
      names: whole ? [] : [...names.slice(0, data.nesting), data.name],
      message: message.trimEnd(),
    })}\n`;
  }
}

/** What a failed assertion or a thrown error says, and where; without the way there through Node. */
function messageOf(error) {
  const { cause } = error;
  if (!(cause instanceof Error)) return String(cause ?? error.message);
  const frames = (cause.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line) && !line.includes('node:'));
  return [cause.message, ...frames.slice(0, 1)].join('\n');
}

/** An uncaught error as Node prints it, from its message on; else the last lines there are. */
function lastWords(stderr) {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
  const error = lines.findLastIndex((line) => /^\w*Error\b/.test(line));
  return lines.slice(error === -1 ? -MESSAGE_LINES : error).join('\n');
}

/**
 * The failures, numbered; what is too long for the end of a log is shortened, messages first.
 * @param {readonly Failure[]} all
 * @returns {string[]} lines
 */
export function listed(all) {
  const heads = all.map(({ part, where, names }, index) => `${index + 1}. ${part}: ${[where, ...names].join(' > ')}`);
  const room = Math.min(MESSAGE_LINES, Math.floor(LIST_LINES / Math.max(all.length, 1)) - 1);
  const shown = heads.slice(0, LIST_LINES);
  const lines = shown.flatMap((head, index) => [head, ...messageLines(all[index].message, Math.max(room, 0))]);
  if (heads.length > shown.length) lines.push(`and ${heads.length - shown.length} more, above`);
  return lines.map((line) => (line.length > LINE_WIDTH ? `${line.slice(0, LINE_WIDTH - 3)}...` : line));
}

/** The beginning of a message, and its last line: an assertion's first words, and where it stands. */
function messageLines(message, most) {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  const kept =
    lines.length <= most ? lines : [...lines.slice(0, Math.max(most - 1, 0)), ...lines.slice(-1)].slice(0, most);
  return kept.map((line) => `     ${line}`);
}
