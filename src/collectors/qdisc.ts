import { isCount } from '../base/json.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { qdiscBacklog, qdiscDrops, qdiscPackets, qdiscRequeues } from '../metrics/catalogue/index.ts';
import { defineCollector } from './collector.ts';

/** The root queueing discipline of one device, as the dump `qdisc` (sources/dumps/qdisc.ts) gives it. */
export interface QdiscRow {
  readonly device: string;
  readonly kind: string;
  readonly packets: number;
  readonly drops: number;
  readonly requeues: number;
  readonly queued: number;
}

/** What queues drop is in no counter of the device, nor anywhere in /proc. */
export const qdisc = defineCollector({
  id: 'qdisc',
  turn: 77,
  scope: 'netns',
  reads: ['qdisc'],
  collect(host, emit) {
    const rows = host.dump('qdisc', decodeQdiscs);
    if (rows?.length === 0) host.notApplicable('qdisc', 'no device has a queueing discipline that counts');
    for (const { device, kind, packets, drops, requeues, queued } of rows ?? []) {
      emit(qdiscPackets, { device, kind }, packets);
      emit(qdiscDrops, { device, kind }, drops);
      emit(qdiscRequeues, { device, kind }, requeues);
      emit(qdiscBacklog, { device, kind }, queued);
    }
  },
});

export function decodeQdiscs(answer: unknown): Result<readonly QdiscRow[]> {
  if (!Array.isArray(answer)) return fail('malformed dump: no list');
  const rows: QdiscRow[] = [];
  for (const each of answer as readonly unknown[]) {
    if (typeof each !== 'object' || each === null) return fail('malformed dump: no object');
    const { device, kind, packets, drops, requeues, queued } = each as Readonly<Record<string, unknown>>;
    if (typeof device !== 'string' || typeof kind !== 'string') return fail('malformed dump: no text');
    if (!isCount(packets) || !isCount(drops) || !isCount(requeues) || !isCount(queued))
      return fail('malformed dump: no unsigned number');
    rows.push({ device, kind, packets, drops, requeues, queued });
  }
  return ok(rows);
}
