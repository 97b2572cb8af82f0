import { afPacketTapCost } from './af-packet-tap-cost.ts';
import { backlogDrops } from './backlog-drops.ts';
import { conntrackInsertFailures } from './conntrack-insert-failures.ts';
import { conntrackTableFull } from './conntrack-table-full.ts';
import { conntrackTablePressure } from './conntrack-table-pressure.ts';
import { dedicatedCores } from './dedicated-cores.ts';
import { hugepages } from './hugepages.ts';
import { isolatedCpuPacketWork } from './isolated-cpu-packet-work.ts';
import { listenQueueOverflow } from './listen-queue-overflow.ts';
import { memorySlotsEmpty } from './memory-slots-empty.ts';
import { nicRingDrops } from './nic-ring-drops.ts';
import { numaNodeShortOfMemory } from './numa-node-short-of-memory.ts';
import { ovsOffNode } from './ovs-off-node.ts';
import { packetPathRemoteNuma } from './packet-path-remote-numa.ts';
import { pcieLinkBelowPossible } from './pcie-link-below-possible.ts';
import { pressure } from './pressure.ts';
import { slowReader } from './slow-reader.ts';
import { softirqSaturation } from './softirq-saturation.ts';
import { stackLatency } from './stack-latency.ts';
import { synQueueFull } from './syn-queue-full.ts';
import { tapBroaderThanNeeded } from './tap-broader-than-needed.ts';
import { tcpMemoryPressure } from './tcp-memory-pressure.ts';
import { tcpReceiveQueueDrop } from './tcp-receive-queue-drop.ts';
import { udpBufferErrors } from './udp-buffer-errors.ts';
import type { Rule } from './rule.ts';

/** Every rule, in the order of its code. The cast forgets the types of each rule's own signals, which only it needs. */
export const rules = [
  afPacketTapCost,
  softirqSaturation,
  isolatedCpuPacketWork,
  stackLatency,
  tapBroaderThanNeeded,
  conntrackTableFull,
  conntrackTablePressure,
  conntrackInsertFailures,
  packetPathRemoteNuma,
  numaNodeShortOfMemory,
  ovsOffNode,
  listenQueueOverflow,
  synQueueFull,
  tcpReceiveQueueDrop,
  tcpMemoryPressure,
  udpBufferErrors,
  slowReader,
  nicRingDrops,
  backlogDrops,
  pcieLinkBelowPossible,
  memorySlotsEmpty,
  hugepages,
  pressure,
  dedicatedCores,
] as unknown as readonly Rule[];
