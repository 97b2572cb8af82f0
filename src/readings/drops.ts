/** What the reader's dump `drops` answers: plain JSON, the same live and from a bundle. Made by probe/drops.ts. */
export interface DropsAnswer {
  readonly version: 1;
  /** Whether this kernel gives reasons (5.17); before, the function that dropped stands for one. */
  readonly reasons: boolean;
  /** Packets that were freed as dropped since the programs were attached, on all CPUs, in all namespaces. */
  readonly total: number;
  /** Of these, the ones that were looked at: each stands for those that were passed over before it. */
  readonly lookedAt: number;
  /** Of the total, not counted but estimated: the counter rests for most of a flood. Not there where there was none. */
  readonly estimated?: number;
  /** By so many the total may be wrong, nineteen times of twenty. */
  readonly error?: number;
  /** Counted, but there was no room for another place. */
  readonly noRoom: number;
  /** In the worst flood so far one drop in so many was looked at; 1: each was. */
  readonly rarest: number;
  readonly rows: readonly DropRow[];
}

export interface DropRow {
  /** `NO_SOCKET` for SKB_DROP_REASON_NO_SOCKET, a number where the kernel's BTF does not name it; '' without reasons. */
  readonly reason: string;
  /** The function that dropped, without what the compiler adds to its name; '' where symbols cannot be read. */
  readonly location: string;
  /** '' where it is not known. */
  readonly device: string;
  readonly netns: string;
  readonly packets: number;
}
