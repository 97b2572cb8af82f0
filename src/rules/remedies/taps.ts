import { processText } from '../../base/process-text.ts';
import { daemonOf } from '../../facts/daemons.ts';
import { takesEverything, type TapHook, type TapOwner } from '../../facts/taps.ts';
import type { Advice } from '../finding.ts';
import { inNetns, shellQuote } from './shell.ts';

/** Bytes that hold the headers of all common protocols. */
const HEADERS = 96;

/** Most owners that get a remedy of their own; the costliest tap's come first. */
const OWNERS = 4;

interface TapPlace {
  readonly netns: string;
  readonly device: string;
}

/** What to do about the taps of a device, one remedy per owner, then what makes taps cheaper where they must stay. */
export function narrowTaps(taps: readonly TapHook[], place: TapPlace): Advice[] {
  const owned = taps.flatMap((tap) => tap.owners.map((owner) => ({ tap, owner })));
  const owners = [...new Map(owned.map((each) => [each.owner.pid, each])).values()];
  const remedies = owners.slice(0, OWNERS).flatMap(({ tap, owner }) => forOwner(tap, owner, place));
  const orphan = taps.find((tap) => tap.owners.length === 0);
  if (orphan !== undefined) remedies.push(findOwner(orphan, place));
  const busiest = taps.find((tap) => takesEverything(tap) && tap.owners.some(({ comm }) => isCapture(comm)));
  if (busiest !== undefined) remedies.push(captureLess(busiest, place));
  return remedies;
}

function forOwner(tap: TapHook, owner: TapOwner, place: TapPlace): Advice[] {
  const { pid, comm } = owner;
  const verify = verifyCommand(place);
  const name = processText(owner);
  const daemon = daemonOf(comm);
  const argv = /^\d+$/.test(pid) ? `tr '\\0' ' ' </proc/${pid}/cmdline` : `pgrep -a ${shellQuote(comm)}`;
  if (daemon?.kind === 'capture') {
    return [
      { action: `End the capture of ${name}; SIGINT lets it write out its file.`, command: `kill -INT ${pid}`, verify },
    ];
  }
  if (daemon === undefined) {
    return [
      {
        action: `See what ${name} is and whether it needs every packet of ${place.device}: a filter, one device or one ethertype makes it cheaper. Do not stop it unknown: a DPDK program with net_af_packet looks the same.`,
        command: argv,
        verify,
      },
    ];
  }
  const narrow = daemon.narrow ?? `bind it to the ethertype it needs (${(daemon.ethertypes ?? []).join(', ')})`;
  const fanout = daemon.kind === 'sensor' && tap.inodes.length === 1 && tap.fanout === 'none';
  const shared = fanout ? ' Its socket is in no fanout group, so all CPUs queue for one ring.' : '';
  return [{ action: `Narrow ${name}: ${narrow}.${shared}`, command: daemon.command ?? argv, verify }];
}

function findOwner(tap: TapHook, place: TapPlace): Advice {
  const [inode = ''] = tap.inodes;
  return {
    action: `Find who holds socket ${inode}: no process was seen with it (no right to look, or another PID namespace).`,
    command: /^\d+$/.test(inode)
      ? `find /proc/[0-9]*/fd -lname 'socket:\\[${inode}\\]' 2>/dev/null`
      : inNetns(place.netns, 'ss -0 -p'),
    verify: verifyCommand(place),
  };
}

/** For a capture that must go on: fewer packets matched, fewer bytes copied, no other device. */
function captureLess(tap: TapHook, { netns, device }: TapPlace): Advice {
  const everywhere = tap.device === 'any' ? ` Bind it to ${device} instead of every device.` : '';
  const pid = tap.owners[0]?.pid;
  return {
    action: `If the capture must go on, match only the flow in question and copy only headers: a rejected packet costs about 150 ns, a copied one 400 ns and, merged by GRO, its whole 64 KB.${everywhere}`,
    command: inNetns(
      netns,
      `tcpdump -i ${shellQuote(device)} -s ${HEADERS} -w capture.pcap 'host ADDRESS and port PORT'`,
      pid,
    ),
    verify: verifyCommand({ netns, device }),
  };
}

function isCapture(comm: string): boolean {
  return daemonOf(comm)?.kind === 'capture';
}

/** Without a pid to enter by: the process may just have been stopped. */
function verifyCommand({ netns }: TapPlace): string {
  return `${inNetns(netns, 'ss -0 -p')}; pktcost diagnose --window 10s`;
}

/** A handler for ETH_P_ALL that no socket registered: a kernel module. */
export function findModule(functions: readonly string[], { netns }: TapPlace): Advice {
  const names = functions.slice(0, 3);
  return {
    action: `Find the kernel module that registered ${names.join(', ')} for every packet: it is no AF_PACKET socket.`,
    command: `grep -w -F ${names.map((name) => `-e ${shellQuote(name)}`).join(' ')} /proc/kallsyms`,
    verify: inNetns(netns, 'grep ALL /proc/net/ptype'),
  };
}
