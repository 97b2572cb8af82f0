/**
 * Which of three ways a stack belongs to, and where it begins there. The softirq that receives often runs on top of a system call
 * that sends, and its time is not the sender's: so the innermost beginning of receiving decides, whatever is below it.
 */

/**
 * `receive`: what NET_RX does, sending included (answers, forwarding). `transmit`: from the hand-over to the device down, where it
 * is not part of receiving, and the completion of what was sent. `socket`: the rest of the kernel's half of socket calls, and what
 * connections do by their timers.
 */
export const directions = ['receive', 'transmit', 'socket'] as const;
export type Direction = (typeof directions)[number];

/** net/core/dev.c. NAPI threads and busy polling receive outside of the softirq; tun and vhost hand over without NAPI. */
const RECEIVE = new Set([
  ...['net_rx_action', 'napi_threaded_poll', 'napi_threaded_poll_loop', 'napi_busy_loop', '__napi_busy_loop'],
  ...['netif_receive_skb', 'netif_receive_skb_core', 'netif_receive_skb_list', 'netif_receive_skb_list_internal'],
  ...['napi_gro_receive', 'gro_receive_skb', 'napi_gro_frags', 'process_backlog'],
]);
/** Entered again on the way of one packet, so that the outermost of them is the beginning. */
const RECEIVE_AGAIN = new Set([
  ...['netif_receive_skb', 'netif_receive_skb_core', 'netif_receive_skb_list', 'netif_receive_skb_list_internal'],
  ...['napi_gro_receive', 'gro_receive_skb', 'napi_gro_frags', 'process_backlog'],
]);

const TRANSMIT = new Set([
  ...[
    '__dev_queue_xmit',
    'dev_queue_xmit',
    '__dev_direct_xmit',
    'dev_direct_xmit',
    'dev_hard_start_xmit',
    'sch_direct_xmit',
  ],
  ...['net_tx_action', '__qdisc_run', 'qdisc_run', 'napi_consume_skb'],
]);

const SOCKET = new Set([
  ...[
    '__sys_sendto',
    '__sys_sendmsg',
    '__sys_sendmmsg',
    '___sys_sendmsg',
    '____sys_sendmsg',
    '__sys_recvfrom',
    '__sys_recvmsg',
  ],
  ...[
    '__sys_recvmmsg',
    'do_recvmmsg',
    '___sys_recvmsg',
    '____sys_recvmsg',
    '__sys_connect',
    '__sys_accept4',
    '__sys_bind',
  ],
  ...['__sys_shutdown', '__sys_setsockopt', '__sys_getsockopt', '__sys_socket', 'sock_write_iter', 'sock_read_iter'],
  ...[
    'sock_sendmsg',
    'sock_recvmsg',
    '__sock_sendmsg',
    'kernel_sendmsg',
    'kernel_recvmsg',
    'sock_close',
    '__sock_release',
  ],
  ...[
    'sock_splice_read',
    'sock_splice_eof',
    'splice_to_socket',
    'sock_sendpage',
    'sock_poll',
    'do_epoll_wait',
    'do_epoll_ctl',
  ],
  ...['io_sendmsg', 'io_send', 'io_send_zc', 'io_sendmsg_zc', 'io_recvmsg', 'io_recv', 'io_accept', 'io_connect'],
  ...[
    'tcp_tasklet_func',
    'tcp_tsq_workfn',
    'tcp_write_timer',
    'tcp_delack_timer',
    'tcp_keepalive_timer',
    'tcp_pace_kick',
  ],
  ...[
    'reqsk_timer_handler',
    'tw_timer_handler',
    'svc_recv',
    'xs_stream_data_receive_workfn',
    'xs_udp_data_receive_workfn',
  ],
]);

/** Sockets through which no packets go. */
const NO_PACKETS = /^(?:unix|netlink|rtnetlink|vsock|alg|nfnetlink|genl|bt|l2cap|hci)_/;

/** What stands below the work of a softirq: whatever task is there did not ask for it. */
const SOFTIRQ = new Set([
  '__do_softirq',
  'handle_softirqs',
  'do_softirq',
  'run_ksoftirqd',
  '__irq_exit_rcu',
  'irq_exit_rcu',
]);

export interface StackDirection {
  readonly direction: Direction;
  /** Index of the frame that the way begins with. */
  readonly from: number;
  /** The task that was interrupted or called is the one that pays. */
  readonly ofProcess: boolean;
}

/** @param names functions from the root of the stack to its leaf */
export function directionOfStack(names: readonly string[]): StackDirection | undefined {
  const received = beginOfReceiving(names);
  if (received !== undefined) return { direction: 'receive', from: received, ofProcess: false };
  const sent = names.findIndex((name) => TRANSMIT.has(name));
  const from = sent >= 0 ? sent : names.findIndex((name) => SOCKET.has(name));
  if (from < 0) return undefined;
  if (sent < 0 && names.some((name) => NO_PACKETS.test(name))) return undefined;
  const ofProcess = !names.slice(0, from).some((name) => SOFTIRQ.has(name));
  return { direction: sent >= 0 ? 'transmit' : 'socket', from, ofProcess };
}

function beginOfReceiving(names: readonly string[]): number | undefined {
  const last = names.findLastIndex((name) => RECEIVE.has(name) && !RECEIVE_AGAIN.has(name));
  if (last >= 0) {
    // The loop is called by the thread or by the busy poll, which are marks themselves.
    return last > 0 && RECEIVE.has(names[last - 1]!) ? last - 1 : last;
  }
  const first = names.findIndex((name) => RECEIVE_AGAIN.has(name));
  return first < 0 ? undefined : first;
}
