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

import { ARCHITECTURES } from './lab-architectures.mjs';
import { CACHE, Debian, quiet, unpack } from './lab-debian.mjs';
import { koffiTarball, nodeTarball, unpackTarball } from './npm-package.mjs';

/** Debian's kernels: a release line and a flavour. `cloud` boots quickest; the full one has the NIC drivers. */
export const KERNELS = {
  6.1: /^linux-image-(6\.1\.\d+-(\d+)-cloud-amd64)$/,
  6.12: /^linux-image-(6\.12\.(\d+)\+deb\d+-cloud-amd64)$/,
  '6.1-full': /^linux-image-(6\.1\.\d+-(\d+)-amd64)$/,
  '6.12-full': /^linux-image-(6\.12\.(\d+)\+deb\d+-amd64)$/,
  '6.1-arm64': /^linux-image-(6\.1\.\d+-(\d+)-cloud-arm64)$/,
  '6.12-arm64': /^linux-image-(6\.12\.(\d+)\+deb\d+-cloud-arm64)$/,
  '6.12-arm64-16k': /^linux-image-(6\.12\.(\d+)\+deb\d+-arm64-16k)$/,
};

export function architectureOf(line) {
  return line.includes('arm64') ? 'arm64' : 'amd64';
}

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
/**
 * Debian's sos, with the Python that it is written in: for scenes that ask for it. It runs commands through `timeout`, and that of
 * busybox takes its own `ip` for them.
 */
const SOS = ['coreutils', 'sosreport', 'python3', 'net-tools', 'xz-utils'];
const PYTHON = /^(python3.*|libpython3.*)$/;

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
  'sch_tbf',
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

/** What no program reads. */
const DOCS = ['doc', 'man', 'locale', 'bash-completion', 'i18n'].map((name) => `./usr/share/${name}`);

function hash(...parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex').slice(0, 16);
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

/** Programs, libraries and node: the one that runs this script, or npm's for a machine that this one is not. */
function baseArchive(arch) {
  const { gnu, node } = ARCHITECTURES[arch];
  const debian = new Debian(arch);
  const versions = debian.candidates(debian.closure(PROGRAMS));
  const foreign = node === process.arch ? undefined : nodeTarball(node);
  const key = hash(readFileSync(import.meta.filename), foreign ?? process.version, JSON.stringify([...versions]));
  const archive = join(CACHE, `base-${arch}-${key}.cpio`);
  if (existsSync(archive)) return archive;
  forget(`base-${arch}-`);
  const debs = debian.have(versions);
  withFolder((root) => {
    for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
      mkdirSync(join(root, 'usr', folder), { recursive: true });
      symlinkSync(`usr/${folder}`, join(root, folder));
    }
    for (const deb of debs)
      unpack(deb, root, [...DOCS, './usr/lib/systemd', './lib/systemd', `./usr/lib/${gnu}/gconv`]);
    for (const folder of ['proc', 'sys', 'dev', 'tmp', 'run', 'root', 'etc', 'var/log', 'var/lib', 'results'])
      mkdirSync(join(root, folder), { recursive: true });
    symlinkSync('../run', join(root, 'var/run'));
    chmodSync(join(root, 'tmp'), 0o1777);
    if (foreign === undefined) copyFileSync(process.execPath, join(root, 'usr/bin/node'));
    else
      withFolder((unpacked) => {
        unpackTarball(foreign, unpacked);
        copyFileSync(join(unpacked, 'bin/node'), join(root, 'usr/bin/node'));
      });
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

/** What sos needs beside the base. */
function sosArchive(arch) {
  const debian = new Debian(arch);
  const base = new Set(debian.closure(PROGRAMS));
  const versions = debian.candidates(debian.closure(SOS, PYTHON).filter((name) => !base.has(name)));
  const key = hash(readFileSync(import.meta.filename), JSON.stringify([...versions]));
  const archive = join(CACHE, `sos-${arch}-${key}.cpio`);
  if (existsSync(archive)) return archive;
  forget(`sos-${arch}-`);
  const debs = debian.have(versions);
  withFolder((root) => {
    for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
      mkdirSync(join(root, 'usr', folder), { recursive: true });
      symlinkSync(`usr/${folder}`, join(root, folder));
    }
    const unused = ['ensurepip', 'idlelib', 'lib2to3', 'pydoc_data', 'test', 'tkinter', 'unittest'];
    for (const deb of debs)
      unpack(deb, root, [...DOCS, './usr/share/zoneinfo', ...unused.map((name) => `./usr/lib/python3*/${name}`)]);
    mkdirSync(join(root, 'etc'), { recursive: true });
    // By this sos knows whose plugins to run; what was installed it asks of dpkg, which is not there.
    writeFileSync(join(root, 'etc/debian_version'), '12.0\n');
    writeFileSync(join(root, 'usr/bin/dpkg-query'), '#!/bin/sh\necho "sosreport|4.0"\n', { mode: 0o755 });
    execFileSync('ldconfig', ['-r', root], { stdio: 'ignore' });
    // The libraries of the base are named in the base's.
    rmSync(join(root, 'etc/ld.so.cache'), { force: true });
    pack(root, archive);
  });
  return archive;
}

/** The newest package of a line which apt offers here. */
export function findKernel(line) {
  const debian = new Debian(architectureOf(line));
  const names = debian.names('linux-image-6.');
  const found = names
    .flatMap((name) => {
      const match = KERNELS[line].exec(name);
      return match ? [{ name, release: match[1], order: Number(match[2]) }] : [];
    })
    .sort((a, b) => b.order - a.order);
  for (const each of found) {
    const version = debian.candidates([each.name]).get(each.name);
    if (version !== undefined) return { ...each, version, debian };
  }
  throw new Error(`apt offers no kernel ${line}: run apt-get update, or add the archive that has it`);
}

/** The kernel and the modules the checks use, with what these depend on. */
function kernelArchive(line) {
  const { name, release, version, debian } = findKernel(line);
  const key = hash(name, version, MODULES.join());
  const image = join(CACHE, `vmlinuz-${release}-${key}`);
  const archive = join(CACHE, `modules-${release}-${key}.cpio`);
  if (!existsSync(image) || !existsSync(archive)) {
    forget(`vmlinuz-${release}-`, `modules-${release}-`);
    const [deb] = debian.have(new Map([[name, version]]));
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

/** pktcost as it is packed for users, and the compiled tests with what they need. Made anew by each run: it takes seconds. */
async function projectArchive(arch) {
  const { node, cc } = ARCHITECTURES[arch];
  const archive = join(CACHE, `project-${arch}.cpio`);
  // With errors of types it still compiles, and the guest tells whether it works.
  spawnSync(process.execPath, ['node_modules/@typescript/native/bin/tsc', '-p', 'tsconfig.json'], { stdio: 'ignore' });
  execFileSync(process.execPath, ['scripts/bundle.mjs'], quiet);
  const { compiled, programNames } = await import(resolve('build/test/scenarios/kit/programs.js'));
  withFolder((folder) => {
    const root = join(folder, 'root');
    const modules = join(root, 'opt/pktcost/node_modules');
    const argv = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
    const packed = execFileSync('npm', argv, { ...quiet, stdio: ['ignore', 'pipe', 'pipe'] });
    mkdirSync(join(modules, 'pktcost'), { recursive: true });
    const tarball = join(folder, packed.trim().split('\n').at(-1) ?? '');
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, 'pktcost')]);
    cpSync('node_modules/koffi', join(modules, 'koffi'), { recursive: true });
    unpackTarball(koffiTarball(node), join(modules, `@koromix/koffi-linux-${node}`));
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    const start = '#!/bin/sh\nexec node /opt/pktcost/node_modules/pktcost/bin/pktcost.js "$@"\n';
    writeFileSync(join(root, 'usr/bin/pktcost'), start, { mode: 0o755 });
    const repository = join(root, 'repo');
    const code = (path) => !/\.map$/.test(path);
    for (const path of ['build/src', ...['lab', 'probe', 'scenarios', 'support'].map((each) => `build/test/${each}`)])
      cpSync(path, join(repository, path), { recursive: true, filter: code });
    for (const path of ['bpf', 'package.json', 'test/scenarios/kit/programs'])
      cpSync(path, join(repository, path), { recursive: true });
    // The traffic makers: the guest has no compiler.
    for (const name of programNames) compiled(name, { cc, folder: join(repository, 'build/programs') });
    symlinkSync('/opt/pktcost/node_modules', join(repository, 'node_modules'));
    copyFileSync('test/lab/init.sh', join(root, 'init'));
    chmodSync(join(root, 'init'), 0o755);
    pack(root, archive);
  });
  return archive;
}

/** @type {Map<string, Promise<string>>} */
const projects = new Map();

/**
 * Everything a guest boots from.
 * @param {string} line
 * @param {readonly string[]} needs what a scene asks for beside the base: `sos`
 */
export async function imageOf(line, needs = []) {
  const arch = architectureOf(line);
  const kernel = kernelArchive(line);
  const base = baseArchive(arch);
  const more = needs.includes('sos') ? [sosArchive(arch)] : [];
  const project = projects.get(arch) ?? projectArchive(arch);
  projects.set(arch, project);
  return { ...kernel, architecture: ARCHITECTURES[arch], archives: [base, ...more, kernel.archive, await project] };
}
