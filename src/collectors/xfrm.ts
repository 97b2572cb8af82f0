import { fail, ok, type Result } from '../base/result.ts';
import { xfrmErrors } from '../metrics/catalogue/index.ts';
import { defineCollector } from './collector.ts';
import { U64_MAX, wholeLines } from './cursor.ts';

const file = '/proc/net/xfrm_stat';

export const xfrm = defineCollector({
  id: 'xfrm',
  turn: 79,
  scope: 'netns',
  reads: [file],
  collect(host, emit) {
    const errors = host.parseIfPresent(file, parseXfrmStat);
    if (errors === undefined) {
      host.notApplicable(file, 'this kernel has no IPsec statistics');
      return;
    }
    for (const [error, count] of errors) if (count > 0) emit(xfrmErrors, { error }, count);
  },
});

/** Parses /proc/net/xfrm_stat: `XfrmInError   12` per line. Source: net/xfrm/xfrm_proc.c:xfrm_statistics_seq_show. */
export function parseXfrmStat(bytes: Uint8Array): Result<ReadonlyMap<string, number>> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const errors = new Map<string, number>();
  while (!cursor.done) {
    const at = cursor.at;
    const name = cursor.word();
    if (!/^Xfrm[A-Za-z]\w*$/.test(name)) return fail('no field name', at);
    const value = cursor.unsigned(U64_MAX);
    if (value === undefined) return fail(`no number for ${name.slice(0, 60)}`, cursor.at);
    if (cursor.moreOnLine()) return fail('more than one number', cursor.at);
    cursor.nextLine();
    errors.set(name, value);
  }
  return errors.size > 0 ? ok(errors) : fail('no field', 0);
}
