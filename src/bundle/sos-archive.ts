import { fail, ok, type Result } from '../base/result.ts';
import type { Kept } from '../sources/copy/tree.ts';
import { TarReader, type ArchiveLimits, type Selection } from './tar/read.ts';
import { unpack, type Packing, type RatioLimit } from './unpack.ts';

/** What a report may ask of the machine it is read on: it may be long, but little of it is kept. */
export const REPORT_LIMITS: ArchiveLimits & RatioLimit & { readonly keptBytes: number } = {
  totalBytes: 16 * 1024 * 1024 * 1024,
  memberBytes: 16 * 1024 * 1024,
  members: 1_000_000,
  keptBytes: 128 * 1024 * 1024,
  ratio: 250,
  ratioFrom: 64 * 1024 * 1024,
};

/** Where the plugin for sos leaves its bundle (contrib/sos). */
export const BUNDLE_IN_REPORT = 'sos_commands/pktcost/bundle/pktcost.tar.gz';

/** The parts of a report that anything here reads; logs and configuration are passed over unread. */
const WANTED = new RegExp(
  '^(?:(?:before|after)/)?(?:' +
    [
      'proc/(?:stat|uptime|softirqs|interrupts|meminfo|zoneinfo|modules|cmdline)$',
      'proc/(?:net|self)$',
      'proc/(?:net|\\d+/net|pressure|irq|sys/net|sys/kernel|sys/vm)/',
      'proc/\\d+/(?:stat|status|task/\\d+/(?:stat|status))$',
      'sys/(?:class/net|devices|bus/pci|kernel/mm/hugepages|firmware/dmi)(?:/|$)',
      'sos_commands/(?:networking|kernel|conntrack|process|host|date|general|openvswitch|lstopo|hardware|numa|memory|namespaces)/',
      `${BUNDLE_IN_REPORT}$`,
      '(?:date|uptime|hostname|uname|version\\.txt)$',
      '(?:[^/]+/)?cmd/[^/]+\\.md$',
    ].join('|') +
    ')',
);

const HOST_FOLDER = /^(?:proc|sys|sos_commands|before|after)\//;
const FURTHER_DOWN = /^((?:[^/]+\/){1,8}?)(?:proc|sys|sos_commands|(?:before|after)\/(?:proc|sys|sos_commands))\//;

/**
 * Where a copy lies in an archive: the folder highest up that holds one. Copies of containers (sos_containers) and trees within a tree lie
 * further down, and may come first.
 */
export class Top {
  #folder: string | undefined;
  /** A folder beside it that holds another copy. */
  other: string | undefined;

  get folder(): string {
    return this.#folder ?? '';
  }

  /** A name as one below the top; those of other folders stay as they are. */
  below(name: string): string {
    const here = HOST_FOLDER.test(name) ? '' : FURTHER_DOWN.exec(name)?.[1];
    if (
      here !== undefined &&
      !here.includes('sos_containers/') &&
      (this.#folder === undefined || depth(here) < depth(this.#folder))
    ) {
      this.#folder = here;
      this.other = undefined;
    }
    if (this.#folder === undefined) return name.replace(/^[^/]+\//, '');
    if (name.startsWith(this.#folder)) return name.slice(this.#folder.length);
    const [beside] = /^.*?\/(?=(?:proc|sys|sos_commands)\/)/.exec(name) ?? [];
    if (beside !== undefined && depth(beside) === depth(this.#folder)) this.other ??= beside;
    return name;
  }
}

function depth(folder: string): number {
  return folder.split('/').length;
}

/**
 * A report as an archive, unpacked into memory as far as it is wanted: names below its top folder.
 * @param programs where xz may be
 */
export async function unpackReport(
  path: string,
  packing: Packing,
  programs?: readonly string[],
): Promise<Result<ReadonlyMap<string, Kept>>> {
  let kept = 0;
  const top = new Top();
  const tooLong: string[] = [];
  const selection: Selection = {
    wanted: (name, size) => {
      if (!WANTED.test(top.below(name))) return false;
      if (size > REPORT_LIMITS.memberBytes) {
        tooLong.push(name);
        return false;
      }
      kept += size;
      return true;
    },
  };
  const tar = new TarReader(REPORT_LIMITS, selection);
  const take = (bytes: Uint8Array): Result<'more'> => {
    const taken = tar.push(bytes);
    if (!taken.ok) return taken;
    const most = REPORT_LIMITS.keptBytes;
    return kept > most ? fail(`more than ${most / 1024 / 1024} MiB of what is read`) : ok('more');
  };
  const unpacked = await unpack(path, packing, REPORT_LIMITS, take, programs);
  if (!unpacked.ok) return unpacked;
  const members = tar.end();
  if (!members.ok) return members;
  const files = new Map<string, Kept>();
  for (const [name, bytes] of members.value) files.set(top.below(name), bytes);
  const refused = `longer than ${REPORT_LIMITS.memberBytes / 1024 / 1024} MiB, in an archive: the report unpacked is read whole`;
  for (const name of tooLong) if (!files.has(top.below(name))) files.set(top.below(name), { refused });
  for (const [name, target] of tar.links) if (!files.has(top.below(name))) files.set(top.below(name), { link: target });
  if (top.other !== undefined)
    return fail(`two copies in it, ${top.folder} and ${top.other}: unpack it, and give one or both`);
  return ok(files);
}
