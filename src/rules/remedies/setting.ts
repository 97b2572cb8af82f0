import { OWN_NETNS } from '../../metrics/snapshot.ts';
import type { Advice } from '../finding.ts';
import { inNetns, shellQuote } from './shell.ts';

/** Where settings of sysctl go that are to outlive a restart. */
const SYSCTL_FILE = '/etc/sysctl.d/90-pktcost.conf';

export interface Setting {
  readonly name: string;
  readonly value: string | number;
  /** As it was read; undefined where it could not be. */
  readonly before: string | number | undefined;
}

interface Where {
  /** The namespace whose sysctls these are; the host's own unless said. */
  readonly netns?: string;
  readonly pid?: string | undefined;
}

type Typed = Pick<Advice, 'command' | 'undo' | 'lasts'>;

/**
 * What to type to set these, to take it back, and to keep it. A value that could not be read has no way back: then the
 * command only shows what there is. What is set in a container's namespace is kept by whatever makes the container.
 */
export function setSysctl(settings: readonly Setting[], { netns = OWN_NETNS, pid }: Where = {}): Typed {
  const names = settings.map(({ name }) => name).join(' ');
  if (settings.some(({ before }) => before === undefined)) return { command: inNetns(netns, `sysctl ${names}`, pid) };
  const set = (of: 'value' | 'before'): string =>
    inNetns(netns, `sysctl -w ${settings.map((each) => `${each.name}=${quoted(each[of] ?? '')}`).join(' ')}`, pid);
  return {
    command: set('value'),
    undo: set('before'),
    ...(netns === OWN_NETNS ? lastsBySysctl(settings) : {}),
  };
}

/** A line of the file that sysctl reads at boot, for each. */
export function lastsBySysctl(settings: readonly Pick<Setting, 'name' | 'value'>[]): Pick<Advice, 'lasts'> {
  const lines = settings.map(({ name, value }) => `'${name} = ${value}'`).join(' ');
  return { lasts: `printf '%s\\n' ${lines} >>${SYSCTL_FILE}` };
}

function quoted(value: string | number): string {
  const text = String(value);
  return text.includes(' ') ? `'${text}'` : text;
}

/** A udev rule that has ethtool set it whenever the device comes; only for devices of the host's own namespace. */
export function lastsByUdev(netns: string, device: string, ethtool: string): Pick<Advice, 'lasts'> {
  if (netns !== OWN_NETNS || !/^[\w.-]+$/.test(device)) return {};
  const rule = `ACTION=="add", SUBSYSTEM=="net", NAME=="${device}", RUN+="/usr/sbin/ethtool ${ethtool}"`;
  return { lasts: `echo ${shellQuote(rule)} >>/etc/udev/rules.d/90-pktcost.rules` };
}

/**
 * What to type where the values before are many and were not read: they are printed as commands and kept in a file of the
 * current folder, which takes it back.
 * @param show prints the commands that bring the values back
 */
export function keepingBefore(name: string, show: string, set: string): Pick<Advice, 'command' | 'undo'> {
  const file = `pktcost-undo-${name}.sh`;
  return { command: `${show} | tee ${file}; ${set}`, undo: `sh ${file}` };
}

/** Values for files of /proc or /sys, whose names are quoted already; those before are kept. */
export function writeFiles(
  name: string,
  values: readonly (readonly [file: string, value: string])[],
): Pick<Advice, 'command' | 'undo'> {
  const files = values.map(([file]) => file).join(' ');
  return keepingBefore(
    name,
    `for f in ${files}; do echo "echo $(cat $f) > $f"; done`,
    values.map(([file, value]) => `echo ${value} > ${file}`).join(' && '),
  );
}
