/**
 * Numbers that several rules compare with, for one reason. Each rule shows such a limit under a name and with a meaning of
 * its own, and `--config` changes it for that rule alone.
 */
export const shared = {
  /** Packets per second on a device below which a tap costs nothing worth naming. */
  idleDevice: 500,
  /** Share of the samples begun that were lost, from which those that are left are not taken for the whole. */
  mostlyLost: 0.5,
  /** Share of its time that a CPU spends on packets from which it is short of room. */
  shortOfTime: 0.7,
  /** Share of its time that a CPU may be idle and still count as having nothing to spare. */
  spare: 0.1,
  /** A loss of 1 in 10,000 begins to bound the throughput of long paths (Mathis et al.). */
  lossNoticed: 0.0001,
  /** 1 % loss halves and halves again what a connection carries. */
  lossCritical: 0.01,
  /** Connection attempts dropped that nobody need notice: one client retries up to 6 times (net.ipv4.tcp_syn_retries). */
  attemptsRepeated: 5,
  /** Datagrams lost from which it can be a warning. */
  datagramsMissed: 10,
  /** Segments that TCP drops at receive queues and repairs without anyone noticing. */
  segmentsRepaired: 5,
  /** net/netfilter/nf_conntrack_core.c:gc_worker starts to evict above 95 % of nf_conntrack_max. */
  tableFull: 0.95,
  /** Packets dropped among the new flows that met a full conntrack table from which new flows fail. */
  flowsRefused: 0.01,
  /** From which a late reader is more than mentioned: the limits of PKT0405 and PKT0406. */
  late: { lostShare: 0.001, lostPerSecond: 100, closedShare: 0.0001, closedPerSecond: 10 },
} as const;
