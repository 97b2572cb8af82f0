import { fail, ok, type Result } from '../../base/result.ts';
import type { QdiscRow } from '../../collectors/qdisc.ts';
import { utf8Text } from '../../collectors/cursor.ts';
import { qdiscDrops, qdiscPackets, transmitPackets } from '../../metrics/catalogue/index.ts';
import { OWN_NETNS, type Snapshot } from '../../metrics/snapshot.ts';
import type { Tree } from '../copy/tree.ts';
import { wholeOutput } from './output.ts';
import { outputOf } from './outputs.ts';

export const queueCommands = ['networking/tc_-s_qdisc_show', 'networking/tc_-s_qdisc'];

/**
 * Parses `tc -s qdisc show` for the disciplines at the root of a device, as the kernel's own dump has them: `qdisc mq 0: dev eth0
 * root`, then ` Sent 9 bytes 1 pkt (dropped 0, overlimits 0 requeues 0)` and ` backlog 0b 0p requeues 0`. One that keeps no
 * statistics (noqueue) is left out. Source: iproute2 tc/tc_qdisc.c, tc/tc_util.c:print_tcstats2_attr.
 */
export function parseQdiscCommand(bytes: Uint8Array): Result<readonly QdiscRow[]> {
  const whole = wholeOutput(bytes);
  if (!whole.ok) return whole;
  const blocks = whole.value.split(/^(?=qdisc )/m);
  let without: string | undefined;
  const rows = blocks.flatMap((block): QdiscRow[] => {
    const [, kind, device] = /^qdisc (\S{1,15}) \S+ (?:dev (\S{1,15}) )?root\b/.exec(block) ?? [];
    const sent =
      /^ Sent \d{1,20} bytes (\d{1,15}) pkts? \(dropped (\d{1,10}), overlimits \d{1,10} requeues (\d{1,10})\)/m;
    const [, packets, drops, requeues] = sent.exec(block) ?? [];
    if (kind === undefined || device === undefined || kind === 'noqueue') return [];
    if (packets === undefined) {
      without ??= device;
      return [];
    }
    const queued = /^ backlog \S+ (\d{1,10})p/m.exec(block)?.[1] ?? '0';
    return [
      {
        device,
        kind,
        packets: Number(packets),
        drops: Number(drops),
        requeues: Number(requeues),
        queued: Number(queued),
      },
    ];
  });
  if (without !== undefined) return fail(`no line "Sent" of the discipline of ${without}: cut off`);
  return blocks.some((block) => block.startsWith('qdisc ')) ? ok(rows) : fail('no line of a queueing discipline');
}

/** Of devices that have sent something those that tc does not name: each has a discipline, `noqueue` if no other. */
export function notNamed(output: Uint8Array, senders: readonly string[]): readonly string[] {
  const named = new Set([...utf8Text(output).matchAll(/^qdisc .*?\bdev (\S+)/gm)].map(([, device]) => device));
  return named.size === 0 ? [] : senders.filter((device) => !named.has(device));
}

export const cutOff = (devices: readonly string[]): string =>
  `${devices.slice(0, 3).join(', ')}: not in the output of tc, which was cut off`;

/** Notes that disciplines are missing; of which kind they were nobody knows. */
export function noteCutQueues(tree: Tree, snapshot: Snapshot): void {
  const output = outputOf(tree, queueCommands);
  if (output === undefined) return;
  const senders = snapshot
    .series(transmitPackets)
    .flatMap(({ labels: { device = '', netns = OWN_NETNS }, value }) =>
      netns === OWN_NETNS && value > 0 ? [device] : [],
    );
  const unnamed = notNamed(output, senders);
  if (unnamed.length > 0) for (const metric of [qdiscDrops, qdiscPackets]) snapshot.lack(metric, {}, cutOff(unnamed));
}
