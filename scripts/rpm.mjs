// An .rpm of a tree that is laid out already.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './assemble.mjs';
import { description, packageVersion, summary } from './deb.mjs';

const reload = 'if [ -d /run/systemd/system ]; then systemctl daemon-reload || :; fi';
const stopUnits =
  'if [ "$1" = 0 ] && [ -d /run/systemd/system ]; then systemctl disable --now pktcost-watch.service pktcost-metrics.timer || :; fi';

/**
 * @param {import('./deb.mjs').Packaging} packaging
 * @returns {string} the file
 */
export function writeRpm({ tree, work, version, arch, level, into, maintainer }) {
  const architecture = { x64: 'x86_64', arm64: 'aarch64' }[arch];
  const spec = [
    'Name: pktcost',
    `Version: ${packageVersion(version)}`,
    'Release: 1',
    `Summary: ${summary.charAt(0).toUpperCase()}${summary.slice(1)}`,
    'License: MIT',
    ...(maintainer === undefined ? [] : [`Packager: ${maintainer}`]),
    'URL: https://github.com/pktcost/pktcost',
    // Its libraries are its own business, but for these; rpm would take what is in node_modules for more.
    'AutoReqProv: no',
    'Requires: glibc >= 2.28, libgcc, libstdc++ >= 7',
    'Recommends: libbpf',
    '',
    '%description',
    description,
    '',
    '%post',
    reload,
    '',
    '%preun',
    stopUnits,
    '',
    '%postun',
    reload,
    '',
    '%files',
    '%defattr(-,root,root)',
    '/usr/bin/pktcost',
    '/usr/lib/pktcost',
    '/usr/lib/systemd/system/*',
    '/usr/share/man/man1/*',
    '/usr/share/bash-completion/completions/pktcost',
    '/usr/share/zsh/site-functions/_pktcost',
    '/usr/share/fish/vendor_completions.d/pktcost.fish',
    '/usr/share/pktcost',
    '%doc /usr/share/doc/pktcost',
    '%dir /etc/pktcost',
    '',
  ].join('\n');
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, 'pktcost.spec'), spec);
  const defines = {
    _topdir: work,
    buildroot: tree,
    _binary_payload: level === '0' ? 'w.ufdio' : `w${level}T0.xzdio`,
    _build_id_links: 'none',
    debug_package: '%{nil}',
    // As it is: not stripped, not compressed again, not compiled.
    __os_install_post: '%{nil}',
    __spec_install_pre: '%{nil}',
    __spec_clean_post: '%{nil}',
    _buildhost: 'localhost',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
  };
  const defined = Object.entries(defines).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  const args = [
    '-bb',
    '--quiet',
    '--target',
    architecture,
    '--buildroot',
    tree,
    ...defined,
    join(work, 'pktcost.spec'),
  ];
  const env = { ...process.env, SOURCE_DATE_EPOCH: '0' };
  run('rpmbuild', args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const folder = join(work, 'RPMS', architecture);
  const [name] = readdirSync(folder);
  const file = join(into, name);
  run('mv', [join(folder, name), file]);
  return file;
}
