import { netstat, skbDrops } from '../../src/metrics/catalogue/index.ts';
import type { Case, Cell } from './window.ts';

/** What a rule about a loss is tried with: a field of netstat that counts it, and what the kernel calls the drop. */
export interface LossKind {
  readonly field: string;
  readonly reason: string;
  readonly location: string;
  /** Drops are told by their reason although the field does not count them. */
  readonly byReason?: true;
}

/** Series that could not be read at all; every rule then says so. */
export function unread(collector = 'netstat', path = '/proc/net/snmp'): Case {
  return {
    name: 'unread',
    cells: [],
    failed: { [collector]: { path, reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  };
}

/** What the rules about losses in the stack of a namespace have in common. */
export function lossCases({ field, reason, location, byReason }: LossKind): readonly Case[] {
  const given = (packets: number): Cell => [netstat.member('Ip_InReceives'), {}, 1000, 1000 + packets];
  const counted = (lost: number): Cell => [netstat.member(field), {}, 5, 5 + lost];
  const dropped = (lost: number, netns?: string): Cell => [
    skbDrops,
    { reason, location, device: 'eth0', ...(netns === undefined ? {} : { netns }) },
    1,
    1 + lost,
  ];
  return [
    {
      name: 'one in a hundred, by the counter',
      cells: [given(100_000), counted(1000)],
      outcome: 'warning',
      certainty: 'measured',
      message: 'lost',
      args: { lost: 1000, rate: 100, most: 1000, where: '' },
      command: /./,
    },
    {
      name: 'the counter and the reason are the same packets; the device is named',
      cells: [given(100_000), counted(1000), dropped(990)],
      outcome: 'warning',
      args: { lost: 1000, where: ', on eth0' },
    },
    ...(byReason === undefined
      ? []
      : [
          {
            name: 'only the kernel tells, by its reason',
            cells: [given(100_000), counted(0), dropped(1000)],
            outcome: 'warning',
            args: { lost: 1000, where: ', on eth0' },
            alertDiffers: 'reasons',
          } as const,
        ]),
    { name: 'nearly all of them is critical', cells: [given(1000), counted(10_000)], outcome: 'critical' },
    { name: 'one is said, as a remark', cells: [given(100_000), counted(1)], outcome: 'info', args: { lost: 1 } },
    { name: 'few of many are a remark', cells: [given(10_000_000), counted(900)], outcome: 'info' },
    { name: 'none', cells: [given(100_000), counted(0)], ran: ['drops'], outcome: 'ok' },
    {
      name: 'a loss of another namespace is not one here',
      cells: [given(100_000), counted(0), dropped(1000, 'pod')],
      outcome: 'ok',
    },
    unread(),
    {
      name: 'a reset inside the window',
      cells: [[netstat.member('Ip_InReceives'), {}, 1000, 5], counted(1000)],
      outcome: 'not-measured',
      missing: /reset/,
    },
  ];
}
