import {
  acceptQueue,
  acceptQueueLimit,
  cgroupPeriods,
  cgroupQuota,
  cgroupThrottledPeriods,
  listenerDrops,
  netstat,
  readerAllowed,
  readerCgroup,
  readerCpuSeconds,
  readerDoing,
  readerWaitSeconds,
  socketOwner,
  tcpSocketReceiveQueue,
  tcpSocketSendQueue,
  udpSocketDrops,
} from '../../src/metrics/catalogue/index.ts';
import type { Cell } from './window.ts';

const counted = (field: string, rise: number): Cell => [netstat.member(field), {}, 5, 5 + rise];

/** A namespace in which syslog's socket lost so many datagrams, and so many were delivered. */
export function losing(lost: number, delivered = 1000): Cell[] {
  return [
    counted('Udp_RcvbufErrors', lost),
    counted('Udp_InDatagrams', delivered),
    counted('Udp6_RcvbufErrors', 0),
    counted('TcpExt_ListenOverflows', 0),
    counted('TcpExt_TCPToZeroWindowAdv', 0),
    [udpSocketDrops, { family: 'v4', address: '0.0.0.0', port: '514', inode: '31' }, 2, 2 + lost],
    [socketOwner, { inode: '31', pid: '600', comm: 'rsyslogd' }, 1, 1],
  ];
}

/** A namespace in which the receive windows of a proxy (pid 600) closed so often, and what it holds for its own client. */
export function closing(closed: number, segments: number, unsent: number): Cell[] {
  const at = { family: 'v4', address: '10.0.0.1' };
  return [
    counted('Udp_RcvbufErrors', 0),
    counted('Udp6_RcvbufErrors', 0),
    counted('TcpExt_ListenOverflows', 0),
    counted('TcpExt_TCPToZeroWindowAdv', closed),
    counted('Tcp_InSegs', segments),
    [tcpSocketReceiveQueue, { ...at, port: '80', inode: '31', peer: '10.0.0.2:5000' }, 9e6, 9e6],
    ...(unsent > 0
      ? [[tcpSocketSendQueue, { ...at, port: '81', inode: '32', peer: '10.0.0.3:6000' }, unsent, unsent] as const]
      : []),
    [socketOwner, { inode: '31', pid: '600', comm: 'rsyslogd' }, 1, 1],
    [socketOwner, { inode: '32', pid: '600', comm: 'rsyslogd' }, 1, 1],
  ];
}

/** A namespace in which so many connection attempts were dropped at its listener. */
export function overflowing(dropped: number): Cell[] {
  const listener = { family: 'v4', address: '10.0.0.1', port: '80', inode: '31' };
  return [
    counted('Udp_RcvbufErrors', 0),
    counted('Udp6_RcvbufErrors', 0),
    counted('TcpExt_ListenOverflows', dropped),
    counted('TcpExt_TCPToZeroWindowAdv', 0),
    [listenerDrops, listener, 2, 2 + dropped],
    [acceptQueue, listener, 2, 2],
    [acceptQueueLimit, listener, 1, 1],
    [socketOwner, { inode: '31', pid: '600', comm: 'rsyslogd' }, 1, 1],
  ];
}

/** A thread of its process in a window of 10 s, by the share of it that it ran and waited. */
export function thread(tid: string, ran: number, waited: number, waits = 'receive'): Cell[] {
  const labels = { pid: '600', tid, comm: 'in:imudp' };
  const asleep = ran + waited < 0.7;
  const doing = { pid: '600', tid, cpu: '1', state: asleep ? 'S' : 'R', waits: asleep ? waits : '' };
  return [
    [readerCpuSeconds, labels, 3, 3 + 10 * ran],
    [readerWaitSeconds, labels, 1, 1 + 10 * waited],
    [readerDoing, { ...doing, in: asleep ? 'pipe_read' : '' }, 1, 1],
    [readerAllowed, { pid: '600', cpus: '0-1' }, 1, 1],
  ];
}

/** A thread of its process that a signal stopped. */
export function stopped(tid: string): Cell[] {
  return thread(tid, 0, 0).map((cell): Cell => {
    const doing = { pid: '600', tid, cpu: '1', state: 'T', waits: 'stopped', in: 'do_signal_stop' };
    return cell[0] === readerDoing ? [readerDoing, doing, 1, 1] : cell;
  });
}

/** A quota of half a CPU that stopped it in so many of 100 periods. */
export function quota(stopped: number, cgroup = '/system.slice/rsyslog.service'): Cell[] {
  return [
    [readerCgroup, { pid: '600', cgroup }, 1, 1],
    [cgroupQuota, { cgroup }, 0.5, 0.5],
    [cgroupPeriods, { cgroup }, 50, 150],
    [cgroupThrottledPeriods, { cgroup }, 7, 7 + stopped],
  ];
}
