import { isCount, isRecord } from '../base/json.ts';
import {
  skbDropReasons,
  skbDrops,
  skbDropsCounted,
  skbDropsError,
  skbDropsEstimated,
  skbDropsLookedAt,
  skbDropsNoRoom,
  skbDropsRarest,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector } from './collector.ts';
import type { DropRow, DropsAnswer } from '../readings/drops.ts';

/** What the kernel dropped, by reason and place; of all namespaces, since there is one tracepoint for all. */
export const drops = defineCollector({
  id: 'drops',
  turn: 75,
  examinedApart: true,
  scope: 'host',
  reads: ['drops'],
  collect(host, emit) {
    const answer = host.dump('drops', decodeDrops);
    if (answer === undefined) return;
    emit(skbDropsCounted, {}, answer.total);
    emit(skbDropsLookedAt, {}, answer.lookedAt);
    emit(skbDropsEstimated, {}, answer.estimated ?? 0);
    emit(skbDropsError, {}, answer.error ?? 0);
    emit(skbDropsNoRoom, {}, answer.noRoom);
    emit(skbDropsRarest, {}, answer.rarest);
    emit(skbDropReasons, {}, answer.reasons ? 1 : 0);
    for (const { reason, location, device, netns, packets } of answer.rows)
      emit(skbDrops, { reason, location, device, ...(netns === '' ? {} : { netns }) }, packets);
  },
});

const MOST_ROWS = 4096;
const LONGEST = 256;

/** Decodes the dump, live or from a bundle; counts are whole numbers, names are text of the host and bounded. */
export function decodeDrops(answer: unknown): Result<DropsAnswer> {
  if (!isRecord(answer)) return fail('malformed dump: no object');
  if (answer['version'] !== 1)
    return fail(`a dump of drops of version ${String(answer['version']).slice(0, 20)}, not 1`);
  const [total, lookedAt, noRoom, rarest] = [answer['total'], answer['lookedAt'], answer['noRoom'], answer['rarest']];
  const { reasons, rows, estimated = 0, error = 0 } = answer;
  if (
    !isCount(total) ||
    !isCount(lookedAt) ||
    !isCount(noRoom) ||
    !isCount(rarest) ||
    !isCount(estimated) ||
    !isCount(error)
  )
    return fail('malformed dump: no unsigned number');
  if (typeof reasons !== 'boolean') return fail('malformed dump: not said whether there are reasons');
  if (!Array.isArray(rows) || rows.length > MOST_ROWS)
    return fail(`malformed dump: no list of at most ${MOST_ROWS} rows`);
  const decoded: DropRow[] = [];
  for (const each of rows as readonly unknown[]) {
    const row = rowOf(each);
    if (row === undefined) return fail('malformed dump: no row of a reason, a place and a count');
    decoded.push(row);
  }
  return ok({ version: 1, reasons, total, lookedAt, estimated, error, noRoom, rarest, rows: decoded });
}

function rowOf(value: unknown): DropRow | undefined {
  if (!isRecord(value)) return undefined;
  const { reason, location, device, netns, packets } = value;
  if (!isName(reason) || !isName(location) || !isName(device) || !isName(netns) || !isCount(packets)) return undefined;
  return { reason, location, device, netns, packets };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST;
}
