import { closeSync } from 'node:fs';

import { refusal } from '../base/errno.ts';
import { ok, type Result } from '../base/result.ts';
import { libc } from './libc.ts';

/** include/uapi/linux/mount.h */
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
/** Read-only, no set-user-ID, no devices, no programs. */
const ATTRIBUTES = 0x1 | 0x2 | 0x4 | 0x8;

/**
 * A sysfs that shows the devices of the network namespace this thread is in. It is mounted nowhere: it can be read below
 * /proc/self/fd/N while the descriptor is open, and nobody else sees it. Linux 5.2, CAP_SYS_ADMIN.
 */
export function sysfsOfThisNamespace(): Result<number> {
  const library = libc();
  if (!library.ok) return library;
  const { fsopen, fsconfig, fsmount, errno } = library.value;
  const context = fsopen('sysfs', FSOPEN_CLOEXEC);
  if (context < 0) return refusal(errno(), 'fsopen');
  try {
    if (fsconfig(context, FSCONFIG_CMD_CREATE) < 0) return refusal(errno(), 'fsconfig');
    const mount = fsmount(context, FSMOUNT_CLOEXEC, ATTRIBUTES);
    return mount < 0 ? refusal(errno(), 'fsmount') : ok(mount);
  } finally {
    closeSync(context);
  }
}
