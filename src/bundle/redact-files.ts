import type { FileForm } from '../collectors/collector.ts';
import { allFacts } from '../collectors/facts.ts';
import { redactedGroup } from './redact-groups.ts';
import type { Tokens } from './tokens.ts';

/** Redacts a file's text, in which each character is one byte. `comm` gives the stand-in of a process's name. */
export type FileRedactor = (text: string, tokens: Tokens, comm: (name: string) => string) => string;

/** Addresses as 32-bit words in the byte order of the host; taken for little-endian, as the collector does. */
const inetSockets: FileRedactor = (text, tokens) =>
  text.replace(/\b([0-9A-F]{8}|[0-9A-F]{32})(?=:[0-9A-F]{4}\b)/gi, (printed) => {
    const bytes = swapWords(Buffer.from(printed, 'hex'));
    const token = bytes.length === 4 ? tokens.ipv4(bytes) : tokens.ipv6(bytes);
    return swapWords(Buffer.from(token)).toString('hex').toUpperCase();
  });

function swapWords(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((_, index) => bytes[(index & ~3) + 3 - (index & 3)]!));
}

/** Groups stand on indented lines: `\t\t\t\t010000E0     1 0:00000000`. */
const igmp: FileRedactor = (text, tokens) =>
  text.replace(/^(\s+)([0-9A-F]{8})(?=\s)/gim, (_, indent: string, group: string) => {
    const token = tokens.ipv4(swapWords(Buffer.from(group, 'hex')));
    return `${indent}${swapWords(Buffer.from(token)).toString('hex').toUpperCase()}`;
  });

/** `2    eth0            1     0     01005e000001`: a group's MAC has a part of its address in it. */
const devMcast: FileRedactor = (text, tokens) =>
  text.replace(/[0-9a-f]{12,64}$/gim, (digits) => tokens.macDigits(digits));

function threadStat(text: string, comm: (name: string) => string): string {
  const [open, close] = [text.indexOf('('), text.lastIndexOf(')')];
  if (open < 0 || close < open) return '';
  return `${text.slice(0, open + 1)}${comm(text.slice(open + 1, close))}${text.slice(close)}`;
}

/** Of the status of a process only its name and where it may run are kept: groups, umask and the like are nobody's need. */
function threadStatus(text: string, comm: (name: string) => string): string {
  return text
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('Name:\t')) return [`Name:\t${comm(line.slice(6))}`];
      return /^(?:Cpus|Mems)_allowed/.test(line) ? [line] : [];
    })
    .join('\n')
    .concat('\n');
}

/** Only where control groups are mounted is kept: the rest names namespaces, containers, servers and homes. */
const mounts: FileRedactor = (text) =>
  text
    .split('\n')
    .flatMap((line) => {
      const [, at, type, options = ''] =
        /^(?:\S+ ){4}(\/sys\/fs\/cgroup\S*) .* - (cgroup2?) \S+ (\S+)/.exec(line) ?? [];
      if (at === undefined || type === undefined) return [];
      const kept = options.split(',').filter((option) => /^\w+$/.test(option));
      return [`0 0 0:0 / ${at} rw - ${type} cgroup ${kept.join(',')}`];
    })
    .join('\n')
    .concat('\n');

/** `0::/system.slice/acme.service`, and in version 1 a line for each controller. */
const controlGroups: FileRedactor = (text, tokens) =>
  text.replace(
    /^(\d+):([^:\n]*):(.*)$/gm,
    (_, id: string, controllers: string, path: string) =>
      `${id}:${controllers.replace(/name=(?!systemd$).*/, 'name=')}:${redactedGroup(Buffer.from(path, 'latin1').toString(), tokens)}`,
  );

const KEPT_TYPES = [16, 17];
const END_OF_TABLE = 127;

/**
 * SMBIOS structures keep their type, length and handle. Strings (serial numbers, asset tags) become x; so do the insides
 * of structures other than memory arrays and devices (the system's UUID, MACs in vendors' own ones).
 */
function dmi(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at + 4 <= bytes.length;) {
    const [type, length] = [bytes[at]!, bytes[at + 1]!];
    if (length < 4) return bytes.fill(0x78, at).toString('latin1');
    if (!KEPT_TYPES.includes(type)) bytes.fill(0, at + 4, Math.min(at + length, bytes.length));
    at += length;
    for (; at < bytes.length && !(bytes[at] === 0 && bytes[at + 1] === 0); at += 1)
      if (bytes[at] !== 0) bytes[at] = 0x78;
    at += 2;
    if (type === END_OF_TABLE) return bytes.fill(0, Math.min(at, bytes.length)).toString('latin1');
  }
  return bytes.toString('latin1');
}

const redactors: Readonly<Record<FileForm, FileRedactor>> = {
  'host-name': (text, tokens) => `${tokens.host(text.trim())}\n`,
  nothing: (text) => text,
  'inet-sockets': inetSockets,
  groups: igmp,
  'mac-groups': devMcast,
  'thread-stat': (text, _, comm) => threadStat(text, comm),
  'thread-status': (text, _, comm) => threadStatus(text, comm),
  smbios: (text) => dmi(text),
  mounts,
  'control-groups': controlGroups,
};

/** What the collectors say of their files; of two that fit the first. */
const forms: readonly (readonly [path: RegExp, form: FileForm])[] = allFacts.flatMap(({ holds = {} }) =>
  Object.entries(holds).map(([path, form]) => [patternOf(path), form] as const),
);

/** `*` stands for a name, `**` for whatever follows, `{a,b}` for either. */
function patternOf(path: string): RegExp {
  const source = path.replace(/\*\*|[*.{},]/g, (part) =>
    part === '**'
      ? '.*'
      : part === '*'
        ? '[^/]+'
        : part === '.'
          ? '\\.'
          : part === '{'
            ? '(?:'
            : part === '}'
              ? ')'
              : '|',
  );
  return new RegExp(`^${source}$`);
}

/** Of a file in no form of its own the addresses are taken out wherever they stand. */
export function fileRedactor(path: string): FileRedactor {
  const form = forms.find(([pattern]) => pattern.test(path))?.[1];
  return form === undefined ? (text, tokens) => tokens.addresses(text) : redactors[form];
}
