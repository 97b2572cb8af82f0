import { fail, ok, type Result } from '../base/result.ts';

/**
 * A reading position in bytes. Parsers on long files walk bytes with it instead of splitting strings; it never moves
 * past the end, and every step says whether it found what was asked for.
 */
const LF = 10;
const SPACE = 32;
const TAB = 9;
const ZERO = 48;
const NINE = 57;

/** The largest value of the kernel's counters of each width; a u64 above 2^53 keeps its size but loses its last bits. */
export const U32_MAX = 2 ** 32 - 1;
export const U64_MAX = 2 ** 64;

const decoder = new TextDecoder('utf-8');

/** Bytes as text. Host text is not always UTF-8: what does not decode shows as U+FFFD. */
export function utf8Text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export class Cursor {
  readonly bytes: Uint8Array;
  at = 0;
  #buffer: Buffer | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The byte at the position, or -1 at the end. */
  get byte(): number {
    return this.at < this.bytes.length ? this.bytes[this.at]! : -1;
  }

  /** Whether the position is at a line feed or at the end. */
  get lineEnd(): boolean {
    return this.at >= this.bytes.length || this.bytes[this.at] === LF;
  }

  /** Passes blanks within the line. */
  skipBlanks(): void {
    while (this.at < this.bytes.length) {
      const byte = this.bytes[this.at];
      if (byte !== SPACE && byte !== TAB) return;
      this.at += 1;
    }
  }

  /** Passes blanks; whether anything is left on the line. */
  moreOnLine(): boolean {
    this.skipBlanks();
    return !this.lineEnd;
  }

  /** Goes to the start of the next line. */
  nextLine(): void {
    const end = this.bytes.indexOf(LF, this.at);
    this.at = end < 0 ? this.bytes.length : end + 1;
  }

  /** Passes blanks and a decimal number; undefined, without moving past it, when there is none. */
  decimal(): number | undefined {
    this.skipBlanks();
    const negative = this.byte === 45;
    const start = this.at;
    if (negative) this.at += 1;
    const digits = this.at;
    let number = 0;
    while (this.at < this.bytes.length) {
      const byte = this.bytes[this.at]!;
      if (byte < ZERO || byte > NINE) break;
      number = number * 10 + (byte - ZERO);
      this.at += 1;
    }
    if (this.at === digits || !this.atBoundary() || !Number.isFinite(number)) {
      this.at = start;
      return undefined;
    }
    return negative ? -number : number;
  }

  /** Passes blanks and a decimal number from 0 to `max`; undefined, without moving past it, when there is none. */
  unsigned(max: number): number | undefined {
    this.skipBlanks();
    const start = this.at;
    const number = this.decimal();
    if (number === undefined || (number >= 0 && number <= max)) return number;
    this.at = start;
    return undefined;
  }

  /** Passes blanks and a hexadecimal number; undefined, without moving past it, when there is none. */
  hex(): number | undefined {
    this.skipBlanks();
    const start = this.at;
    let number = 0;
    while (this.at < this.bytes.length) {
      const digit = hexDigit(this.bytes[this.at]!);
      if (digit < 0) break;
      number = number * 16 + digit;
      this.at += 1;
    }
    if (this.at === start || !this.atBoundary() || !Number.isFinite(number)) {
      this.at = start;
      return undefined;
    }
    return number;
  }

  /** Passes blanks and a word: everything up to the next blank or line feed; '' at the end of the line. */
  word(): string {
    this.skipBlanks();
    const start = this.at;
    let bits = 0;
    while (this.at < this.bytes.length) {
      const byte = this.bytes[this.at]!;
      if (byte === SPACE || byte === TAB || byte === LF) break;
      bits |= byte;
      this.at += 1;
    }
    // Names of counters are ASCII, and the decoder costs several times as much for a few bytes.
    if (bits >= 0x80) return utf8Text(this.bytes.subarray(start, this.at));
    this.#buffer ??= Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    return this.#buffer.toString('latin1', start, this.at);
  }

  /** Everything up to the end of the line, which is passed. */
  restOfLine(): string {
    const end = this.bytes.indexOf(LF, this.at);
    const stop = end < 0 ? this.bytes.length : end;
    const line = utf8Text(this.bytes.subarray(this.at, stop));
    this.at = end < 0 ? stop : end + 1;
    return line;
  }

  /** A number must end at a blank, a line feed or the end: `12ab` is not 12. Nor are 400 digits a number. */
  private atBoundary(): boolean {
    const byte = this.byte;
    return byte === -1 || byte === SPACE || byte === TAB || byte === LF;
  }
}

/**
 * A cursor on a file that ends where a line ends, as every line-wise file of the kernel does: anything else was cut off,
 * and its last number may be the front of a longer one.
 */
export function wholeLines(bytes: Uint8Array): Result<Cursor> {
  if (bytes.length === 0) return fail('empty file', 0);
  return bytes.at(-1) === LF ? ok(new Cursor(bytes)) : fail('cut off in the middle of a line', bytes.length);
}

function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= NINE) return byte - ZERO;
  if (byte >= 97 && byte <= 102) return byte - 87;
  return byte >= 65 && byte <= 70 ? byte - 55 : -1;
}

/** Tables that the firmware made: NUL is a byte like others in them. */
const BINARY = /^\/sys\/firmware\//;

/** Text of the kernel ends at the first NUL: some kernels print one behind a CPU list, and tar fills a file of /sys up to a page with them. */
export function contentOf(path: string, bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 || BINARY.test(path) ? bytes : bytes.subarray(0, end);
}

/** The same without the NULs at its end only: within what a command printed they are as good as any other byte. */
export function withoutPadding(path: string, bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== 0 || BINARY.test(path)) return bytes;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, end);
}
