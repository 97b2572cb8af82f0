/** Values of the labels of pktcost_packet_socket_info: its collector writes them, and whoever asks what one stands for asks here. */

/** The protocol of a tap: every packet (include/uapi/linux/if_ether.h). */
export const ETH_P_ALL = '0003';

const filters = {
  none: 'none or eBPF',
  hidden: 'hidden (needs CAP_NET_ADMIN)',
  unknown: 'unknown',
  all: 'matches all',
} as const;

/** `some`: a classic filter that looks at packets. An eBPF filter is not shown, and looks like none. */
export type FilterKind = keyof typeof filters | 'some';

export function filterLabel(filter: Exclude<FilterKind, 'some'> | { readonly instructions: number }): string {
  return typeof filter === 'string' ? filters[filter] : `classic ${filter.instructions} instructions`;
}

export function filterKind(label: string): FilterKind {
  const [kind] = Object.entries(filters).find(([, value]) => value === label) ?? [];
  return (kind as keyof typeof filters | undefined) ?? 'some';
}

const GROUP = 'id ';

/** `id` is not known where only the hooks show that there is a group. */
export function fanoutLabel(group: { readonly id: number; readonly type: string } | 'unknown' | null): string {
  if (group === null) return 'none';
  return group === 'unknown' ? `${GROUP}unknown` : `${GROUP}${group.id} type ${group.type}`;
}

export function isFanoutGroup(label: string): boolean {
  return label.startsWith(GROUP);
}
