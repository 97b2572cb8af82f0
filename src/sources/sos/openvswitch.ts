import { fail, ok, type Result } from '../../base/result.ts';
import type { DatapathRow } from '../../collectors/openvswitch.ts';
import type { Tree } from '../copy/tree.ts';
import { parseCoverageCommand, parseDatapathCommand, parsePmdCommand, parseVsctlCommand } from './switch.ts';

const FOLDER = '/sos_commands/openvswitch';
/** `ovs-appctl`, also from a snap or a container, with or without a limit of time or a target. */
const RUN = '(?:[\\w-]+\\.)?';
const FLAGS = '(?:_(?:-[tT]_?\\d+|--timeout[=_]\\d+|-t_[\\w.-]+\\.ctl))*';

/** What the commands are called, by sos 3.x and 4.x: `/` in them is a dot, `@` an underscore. */
const DATAPATHS = new RegExp(
  `^${RUN}ovs-(?:appctl${FLAGS}_dpctl[./_]show|dpctl${FLAGS}(?:_-s_show|_show))(?:_-s)?(?:_[\\w.@-]+)?$`,
);
const others: readonly (readonly [RegExp, (bytes: Uint8Array) => Result<readonly string[]>])[] = [
  [new RegExp(`^${RUN}ovs-appctl${FLAGS}_coverage[./_]show$`), parseCoverageCommand],
  [new RegExp(`^${RUN}ovs-appctl${FLAGS}_dpif-netdev[./_]pmd-rxq-show$`), parsePmdCommand],
  [new RegExp(`^${RUN}ovs-vsctl${FLAGS}_show$`), parseVsctlCommand],
];
const MOST_DATAPATHS = 20;

function namesIn(tree: Tree): readonly string[] {
  const names = tree.list(FOLDER);
  return names.ok ? names.value : [];
}

function read<T>(tree: Tree, name: string, parse: (bytes: Uint8Array) => Result<T>): readonly T[] {
  const output = tree.read(`${FOLDER}/${name}`);
  const said = output.ok ? parse(output.value) : output;
  return said.ok ? [said.value] : [];
}

/** What the datapaths counted; null where none of its output is understood, and a failure where nothing of the switch was copied. */
export function datapathsOf(tree: Tree): Result<readonly DatapathRow[] | null> {
  const names = namesIn(tree);
  if (names.length === 0) return fail('not in the copy: Open vSwitch was not asked');
  const rows = names
    .filter((name) => DATAPATHS.test(name))
    .slice(0, MOST_DATAPATHS)
    .flatMap((name) => read(tree, name, parseDatapathCommand).flatMap((said) => said.rows));
  // Several commands may say the same of one datapath.
  return ok(rows.length === 0 ? null : [...new Map(rows.map((row) => [row.datapath, row])).values()]);
}

/** What its commands say that no rule goes by. */
export function switchRemarks(tree: Tree): readonly string[] {
  const names = namesIn(tree);
  const ports = names
    .filter((name) => DATAPATHS.test(name))
    .slice(0, MOST_DATAPATHS)
    .flatMap((name) => read(tree, name, parseDatapathCommand).flatMap(({ remarks }) => remarks));
  return [
    ...new Set(ports),
    ...others.flatMap(([pattern, parse]) =>
      names.filter((name) => pattern.test(name)).flatMap((name) => read(tree, name, parse).flat()),
    ),
  ];
}

/** Files of its commands that nothing here reads. */
export function unreadOfSwitch(tree: Tree): readonly string[] {
  const known = [DATAPATHS, ...others.map(([pattern]) => pattern)];
  return namesIn(tree).filter((name) => !known.some((pattern) => pattern.test(name)));
}
