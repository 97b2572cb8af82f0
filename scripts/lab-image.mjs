// The lab's images: kernels and programs from Debian's archive, unpacked and never installed, as cpio archives which the
// kernel unpacks one after the other. Cached in .cache/lab by what they were made from.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

export const CACHE = resolve('.cache/lab');

/** Debian's kernels: a release line and a flavour. `cloud` boots quickest; the full one has the NIC drivers. */
export const KERNELS = {
  6.1: /^linux-image-(6\.1\.\d+-(\d+)-cloud-amd64)$/,
  6.12: /^linux-image-(6\.12\.(\d+)\+deb\d+-cloud-amd64)$/,
  '6.1-full': /^linux-image-(6\.1\.\d+-(\d+)-amd64)$/,
  '6.12-full': /^linux-image-(6\.12\.(\d+)\+deb\d+-amd64)$/,
};

/** What the checks use; their libraries follow from the archive's own dependencies. */
const PROGRAMS = [
  'busybox-static',
  'bpftool',
  'conntrack',
  'dash',
  'ethtool',
  'iperf3',
  'iproute2',
  'kmod',
  'libbpf1',
  'libstdc++6',
  'nftables',
  'openvswitch-switch',
  'procps',
  'prometheus-node-exporter',
  'tcpdump',
  'util-linux',
];
/** Dependencies of maintainer scripts, not of the programs. */
const NOT_NEEDED =
  /^(adduser|cdebconf|debconf|dpkg|perl.*|libperl.*|python3.*|libpython3.*|.*-perl|gcc-.*|install-info|passwd|libpam.*|tar|usr.*|init-system-helpers|mailcap|media-types|mime-support|openssl|readline-common|libdebian-installer4|libnewt.*|libslang.*|libtextwrap1|libelogind0|util-linux-extra|libgdbm.*|libsemanage.*|libsepol2)$/;

const MODULES = [
  'af_packet_diag',
  'act_mirred',
  'bonding',
  'bridge',
  'cls_bpf',
  'cls_matchall',
  'cls_u32',
  '8021q',
  'act_gact',
  'dummy',
  'e1000',
  'e1000e',
  'igb',
  'inet_diag',
  'ixgbe',
  'macvlan',
  'nf_conntrack',
  'nf_conntrack_netlink',
  'nf_tables',
  'nft_ct',
  'nft_limit',
  'nfnetlink',
  'openvswitch',
  'sch_fq_codel',
  'sch_ingress',
  'tcp_diag',
  'tun',
  'udp_diag',
  'veth',
  'vhost_net',
  'virtio_blk',
  'virtio_net',
  'virtio_pci',
  'vmxnet3',
  '8139cp',
];

const quiet = { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1 << 28 };

function hash(...parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex').slice(0, 16);
}

function download(names) {
  const folder = join(CACHE, 'debs');
  mkdirSync(folder, { recursive: true });
  // The download sandbox's user could not write here.
  execFileSync('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...names], { ...quiet, cwd: folder });
}

function candidates(names) {
  const answer = execFileSync('apt-cache', ['policy', ...names], quiet);
  const versions = new Map();
  for (const block of answer.split(/^(?=\S)/m)) {
    const found = /^(\S+):\n(?:.*\n)*? {2}Candidate: (\S+)/.exec(block);
    if (found && found[2] !== '(none)') versions.set(found[1], found[2]);
  }
  return versions;
}

function debOf(name, version) {
  return join(CACHE, 'debs', `${name}_${version.replaceAll(':', '%3a')}_amd64.deb`);
}

function archOf(name, version) {
  const amd64 = debOf(name, version);
  return existsSync(amd64) ? amd64 : amd64.replace(/_amd64\.deb$/, '_all.deb');
}

function have(versions) {
  const missing = [...versions].filter(([name, version]) => !existsSync(archOf(name, version))).map(([name]) => name);
  if (missing.length > 0) download(missing);
  return [...versions].map(([name, version]) => archOf(name, version));
}

function unpack(deb, root, exclude = []) {
  const from = spawnSync('dpkg-deb', ['--fsys-tarfile', deb], { maxBuffer: 1 << 30 });
  if (from.status !== 0) throw new Error(`${basename(deb)} cannot be unpacked`);
  const into = spawnSync(
    'tar',
    ['-x', '--keep-directory-symlink', '-C', root, ...exclude.map((each) => `--exclude=${each}`)],
    { input: from.stdout, stdio: ['pipe', 'inherit', 'inherit'] },
  );
  if (into.status !== 0) throw new Error(`tar of ${basename(deb)} failed`);
}

/** Removes what was made from older inputs. */
function forget(...prefixes) {
  if (!existsSync(CACHE)) return;
  for (const name of readdirSync(CACHE))
    if (prefixes.some((prefix) => name.startsWith(prefix))) rmSync(join(CACHE, name), { force: true });
}

/** Packs a folder; the archive appears under its name only when it is whole. */
function pack(root, archive) {
  const list = execFileSync('find', ['.', '-mindepth', '1', '-print0'], { cwd: root, maxBuffer: 1 << 28 });
  const out = openSync(`${archive}.part`, 'w');
  const made = spawnSync('cpio', ['-0', '-o', '-H', 'newc', '-R', '0:0', '--quiet'], {
    cwd: root,
    input: list,
    stdio: ['pipe', out, 'inherit'],
  });
  closeSync(out);
  if (made.status !== 0) throw new Error(`cpio of ${archive} failed`);
  renameSync(`${archive}.part`, archive);
}

function withFolder(use) {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'tmp-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Programs, libraries and node. */
function baseArchive() {
  const closure = execFileSync(
    'apt-cache',
    [
      'depends',
      '--recurse',
      ...['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((each) => `--no-${each}`),
      ...PROGRAMS,
    ],
    quiet,
  );
  const names = [...new Set(closure.match(/^\w\S*$/gm))].filter((name) => !NOT_NEEDED.test(name)).sort();
  const versions = candidates(names);
  const node = process.execPath;
  const key = hash(readFileSync(import.meta.filename), process.version, JSON.stringify([...versions]));
  const archive = join(CACHE, `base-${key}.cpio`);
  if (existsSync(archive)) return archive;
  forget('base-');
  const debs = have(versions);
  withFolder((root) => {
    for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
      mkdirSync(join(root, 'usr', folder), { recursive: true });
      symlinkSync(`usr/${folder}`, join(root, folder));
    }
    const docs = [
      './usr/share/doc',
      './usr/share/man',
      './usr/share/locale',
      './usr/share/bash-completion',
      './usr/share/i18n',
    ];
    for (const deb of debs)
      unpack(deb, root, [...docs, './usr/lib/systemd', './lib/systemd', './usr/lib/x86_64-linux-gnu/gconv']);
    for (const folder of ['proc', 'sys', 'dev', 'tmp', 'run', 'root', 'etc', 'var/log', 'var/lib', 'results'])
      mkdirSync(join(root, folder), { recursive: true });
    symlinkSync('../run', join(root, 'var/run'));
    chmodSync(join(root, 'tmp'), 0o1777);
    copyFileSync(node, join(root, 'usr/bin/node'));
    writeFileSync(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\ntcpdump:x:100:100::/:/bin/sh\n',
    );
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\ntcpdump:x:100:\n');
    writeFileSync(join(root, 'etc/nsswitch.conf'), 'hosts: files\n');
    writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
    // An alternative of Debian's, which its maintainer script would link.
    symlinkSync('../lib/openvswitch-switch/ovs-vswitchd', join(root, 'usr/sbin/ovs-vswitchd'));
    // Remedies are typed into a shell which takes its tools from the path, as busybox's does not.
    if (!existsSync(join(root, 'usr/bin/sh'))) symlinkSync('dash', join(root, 'usr/bin/sh'));
    for (const shell of ['sh', 'ash'])
      if (!existsSync(join(root, 'usr/bin', shell))) symlinkSync('busybox', join(root, 'usr/bin', shell));
    execFileSync('ldconfig', ['-r', root], { stdio: 'ignore' });
    pack(root, archive);
  });
  return archive;
}

/** The newest package of a line which apt offers here. */
export function findKernel(line) {
  const names = execFileSync('apt-cache', ['pkgnames', 'linux-image-6.'], quiet).trim().split('\n');
  const found = names
    .flatMap((name) => {
      const match = KERNELS[line].exec(name);
      return match ? [{ name, release: match[1], order: Number(match[2]) }] : [];
    })
    .sort((a, b) => b.order - a.order);
  for (const each of found) {
    const version = candidates([each.name]).get(each.name);
    if (version !== undefined) return { ...each, version };
  }
  throw new Error(`apt offers no kernel ${line}: run apt-get update, or add the archive that has it`);
}

/** The kernel and the modules the checks use, with what these depend on. */
function kernelArchive(line) {
  const { name, release, version } = findKernel(line);
  const key = hash(name, version, MODULES.join());
  const image = join(CACHE, `vmlinuz-${release}-${key}`);
  const archive = join(CACHE, `modules-${release}-${key}.cpio`);
  if (!existsSync(image) || !existsSync(archive)) {
    forget(`vmlinuz-${release}-`, `modules-${release}-`);
    const [deb] = have(new Map([[name, version]]));
    withFolder((full) => {
      unpack(deb, full);
      if (existsSync(join(full, 'usr/lib/modules'))) symlinkSync('usr/lib', join(full, 'lib'));
      execFileSync('depmod', ['-b', full, release]);
      const lib = join(full, 'lib/modules', release);
      const paths = new Map();
      for (const row of readFileSync(join(lib, 'modules.dep'), 'utf8').trim().split('\n')) {
        const [path, needs] = row.split(':');
        paths.set(basename(path).replace(/\.ko.*/, ''), [path, ...needs.trim().split(/\s+/).filter(Boolean)]);
      }
      withFolder((root) => {
        const target = join(root, 'usr/lib/modules', release);
        for (const path of new Set(MODULES.flatMap((module) => paths.get(module) ?? []))) {
          mkdirSync(dirname(join(target, path)), { recursive: true });
          cpSync(join(lib, path), join(target, path));
        }
        for (const file of readdirSync(lib).filter((each) => /^modules\.(order|builtin)/.test(each)))
          copyFileSync(join(lib, file), join(target, file));
        symlinkSync('usr/lib', join(root, 'lib'));
        execFileSync('depmod', ['-b', root, release]);
        rmSync(join(root, 'lib'));
        pack(root, archive);
      });
      copyFileSync(join(full, 'boot', `vmlinuz-${release}`), image);
    });
  }
  return { line, name, version, release, image, archive };
}

/** pktcost as it is packed for users, and the compiled tests with what they need. Made anew each time: it takes seconds. */
function projectArchive() {
  const archive = join(CACHE, 'project.cpio');
  // With errors of types it still compiles, and the guest tells whether it works.
  spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], { stdio: 'ignore' });
  execFileSync(process.execPath, ['scripts/bundle.mjs'], quiet);
  withFolder((folder) => {
    const root = join(folder, 'root');
    const modules = join(root, 'opt/pktcost/node_modules');
    const argv = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
    const packed = execFileSync('npm', argv, { ...quiet, stdio: ['ignore', 'pipe', 'pipe'] });
    mkdirSync(join(modules, 'pktcost'), { recursive: true });
    const tarball = join(folder, packed.trim().split('\n').at(-1));
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, 'pktcost')]);
    for (const name of ['koffi', '@koromix/koffi-linux-x64'])
      cpSync(join('node_modules', name), join(modules, name), { recursive: true });
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    const start = '#!/bin/sh\nexec node /opt/pktcost/node_modules/pktcost/bin/pktcost.js "$@"\n';
    writeFileSync(join(root, 'usr/bin/pktcost'), start, { mode: 0o755 });
    const repository = join(root, 'repo');
    const code = (path) => !/\.map$/.test(path);
    for (const path of ['build/src', ...['lab', 'probe', 'scenarios', 'support'].map((each) => `build/test/${each}`)])
      cpSync(path, join(repository, path), { recursive: true, filter: code });
    for (const path of ['build/programs', 'bpf', 'package.json', 'test/scenarios/kit/programs'])
      cpSync(path, join(repository, path), { recursive: true });
    symlinkSync('/opt/pktcost/node_modules', join(repository, 'node_modules'));
    copyFileSync('test/lab/init.sh', join(root, 'init'));
    chmodSync(join(root, 'init'), 0o755);
    pack(root, archive);
  });
  return archive;
}

/** The traffic makers: the guest has no compiler. */
async function compilePrograms() {
  const { compiled, programNames } = await import(resolve('build/test/scenarios/kit/programs.js'));
  for (const name of programNames) compiled(name);
}

/** Everything a guest boots from. */
export async function imageOf(line) {
  const kernel = kernelArchive(line);
  const base = baseArchive();
  await compilePrograms();
  return { ...kernel, archives: [base, kernel.archive, projectArchive()] };
}
