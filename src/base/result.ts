/**
 * What the host can do to us, as a value: every parser and every read answers with a `Result`, never an exception.
 * Exceptions are left for our own bugs.
 */
export type Result<T> = Ok<T> | Failure;

export interface Ok<T> {
  readonly ok: true;
  readonly value: T;
}

export interface Failure {
  readonly ok: false;
  /** One line, lower case, no path: the reader adds the path. */
  readonly reason: string;
  /** The errno's name, such as `ENOENT`, where the kernel refused it: for decisions. */
  readonly errno?: string;
  /** There was more than we take into memory. */
  readonly tooMuch?: boolean;
  /** Byte offset in the input where a parser gave up. */
  readonly offset?: number;
}

export function ok<T>(value: T): Ok<T> {
  return { ok: true, value };
}

export function fail(reason: string, offset?: number): Failure {
  return offset === undefined ? { ok: false, reason } : { ok: false, reason, offset };
}
