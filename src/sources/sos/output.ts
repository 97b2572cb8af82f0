import { fail, ok, type Result } from '../../base/result.ts';
import { utf8Text } from '../../collectors/cursor.ts';

const LF = 10;

/** What a command printed, as text. One that ends within a line was cut, and what is below it is not known. */
export function wholeOutput(bytes: Uint8Array): Result<string> {
  return bytes.at(-1) === LF ? ok(utf8Text(bytes)) : fail('cut off in the middle of a line', bytes.length);
}

/** The lines of what a command printed, each of which says something by itself: without one that was cut. */
export function wholeOutputLines(bytes: Uint8Array): readonly string[] {
  return utf8Text(bytes.subarray(0, bytes.lastIndexOf(LF) + 1)).split('\n');
}
