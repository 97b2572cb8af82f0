/* Made from the files of this folder by `npm run generate`: do not edit. */
import { afPacketTapCost } from './af-packet-tap-cost.ts';
import { allocationReclaim } from './allocation-reclaim.ts';
import { backlogDrops } from './backlog-drops.ts';
import { bpfProgramCost } from './bpf-program-cost.ts';
import { captureIncomplete } from './capture-incomplete.ts';
import { checksumErrors } from './checksum-errors.ts';
import { conntrackCost } from './conntrack-cost.ts';
import { conntrackInsertFailures } from './conntrack-insert-failures.ts';
import { conntrackTableFull } from './conntrack-table-full.ts';
import { conntrackTablePressure } from './conntrack-table-pressure.ts';
import { dearPackets } from './dear-packets.ts';
import { dedicatedCores } from './dedicated-cores.ts';
import { groOff } from './gro-off.ts';
import { hugepages } from './hugepages.ts';
import { interruptsOnOneCpu } from './interrupts-on-one-cpu.ts';
import { isolatedCpuPacketWork } from './isolated-cpu-packet-work.ts';
import { listenQueueOverflow } from './listen-queue-overflow.ts';
import { listenerDrops } from './listener-drops.ts';
import { lockContention } from './lock-contention.ts';
import { memoryDrops } from './memory-drops.ts';
import { memorySlotsEmpty } from './memory-slots-empty.ts';
import { mtuAndFragments } from './mtu-and-fragments.ts';
import { neighbourDrops } from './neighbour-drops.ts';
import { netfilterCost } from './netfilter-cost.ts';
import { nicRingDrops } from './nic-ring-drops.ts';
import { numaNodeShortOfMemory } from './numa-node-short-of-memory.ts';
import { otherDrops } from './other-drops.ts';
import { otherSocketsCost } from './other-sockets-cost.ts';
import { ovsOffNode } from './ovs-off-node.ts';
import { packetPathRemoteNuma } from './packet-path-remote-numa.ts';
import { pcieLinkBelowPossible } from './pcie-link-below-possible.ts';
import { policyDrops } from './policy-drops.ts';
import { portsExhausted } from './ports-exhausted.ts';
import { pressure } from './pressure.ts';
import { qdiscDrops } from './qdisc-drops.ts';
import { readerBlockedElsewhere } from './reader-blocked-elsewhere.ts';
import { readerBursty } from './reader-bursty.ts';
import { readerBusy } from './reader-busy.ts';
import { readerThrottled } from './reader-throttled.ts';
import { readerWaitsForCpu } from './reader-waits-for-cpu.ts';
import { routingDrops } from './routing-drops.ts';
import { routingRulesCost } from './routing-rules-cost.ts';
import { type Rule } from './rule.ts';
import { slowReader } from './slow-reader.ts';
import { softirqSaturation } from './softirq-saturation.ts';
import { stackLatency } from './stack-latency.ts';
import { steal } from './steal.ts';
import { switchDrops } from './switch-drops.ts';
import { synQueueFull } from './syn-queue-full.ts';
import { tapBroaderThanNeeded } from './tap-broader-than-needed.ts';
import { tcFilterCost } from './tc-filter-cost.ts';
import { tcpMemoryPressure } from './tcp-memory-pressure.ts';
import { tcpReceiveQueueDrop } from './tcp-receive-queue-drop.ts';
import { tcpRetransmission } from './tcp-retransmission.ts';
import { tracingCost } from './tracing-cost.ts';
import { transmitDrops } from './transmit-drops.ts';
import { udpBufferErrors } from './udp-buffer-errors.ts';
import { virtualPathCost } from './virtual-path-cost.ts';
import { xfrmErrors } from './xfrm-errors.ts';

/** Every rule, in the order of its code. */
export const rules: readonly Rule[] = [
  afPacketTapCost,
  softirqSaturation,
  isolatedCpuPacketWork,
  stackLatency,
  tapBroaderThanNeeded,
  netfilterCost,
  bpfProgramCost,
  tracingCost,
  virtualPathCost,
  conntrackCost,
  lockContention,
  allocationReclaim,
  groOff,
  interruptsOnOneCpu,
  dearPackets,
  otherSocketsCost,
  routingRulesCost,
  tcFilterCost,
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
  tcpRetransmission,
  portsExhausted,
  checksumErrors,
  readerWaitsForCpu,
  readerThrottled,
  readerBusy,
  readerBlockedElsewhere,
  readerBursty,
  nicRingDrops,
  backlogDrops,
  qdiscDrops,
  transmitDrops,
  switchDrops,
  pcieLinkBelowPossible,
  memorySlotsEmpty,
  hugepages,
  pressure,
  dedicatedCores,
  steal,
  routingDrops,
  neighbourDrops,
  mtuAndFragments,
  policyDrops,
  memoryDrops,
  xfrmErrors,
  listenerDrops,
  otherDrops,
  captureIncomplete,
];
