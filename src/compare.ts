import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';

import { ifAllowed } from './ffi/errno.ts';
import type { Report } from './generated/report.ts';
import { validateReport } from './generated/validate.ts';
import type { Named } from './report/compare.ts';
import { replay } from './replay.ts';
import { UsageError } from './usage.ts';

export interface Opened extends Named {
  readonly notes: readonly string[];
}

/** A report of any kind and size made by pktcost is below this. */
const MOST_REPORT_BYTES = 64 * 1024 * 1024;

/**
 * A side of a comparison: a JSON report as it is; anything else is judged now, so that two bundles are held against the
 * same limits.
 * @throws UsageError when it is neither
 */
export async function openSide(path: string, version: string): Promise<Opened> {
  if (!isJson(path)) {
    const { report, notes } = await replay(path, version);
    return { source: basename(path), report, notes };
  }
  return { source: basename(path), report: readReport(path), notes: [] };
}

/** By its first character; what is called .json and is none must be told so, and not that it is no archive. */
function isJson(path: string): boolean {
  return (
    ifAllowed(() => {
      if (!statSync(path).isFile()) return false;
      if (path.endsWith('.json')) return true;
      const fd = openSync(path, 'r');
      try {
        const start = Buffer.alloc(64);
        const length = readSync(fd, start, 0, start.length, 0);
        return start.toString('utf8', 0, length).trimStart().startsWith('{');
      } finally {
        closeSync(fd);
      }
    }) ?? false
  );
}

function readReport(path: string): Report {
  if (statSync(path).size > MOST_REPORT_BYTES) throw new UsageError(`${path}: too long for a report`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(
      `${path}: not JSON: ${error instanceof Error ? error.message.replace(/\s+/g, ' ').slice(0, 200) : String(error)}`,
    );
  }
  if (validateReport(value)) return value;
  const [error] = validateReport.errors ?? [];
  throw new UsageError(`${path}: not a pktcost report: ${error?.instancePath ?? ''}: ${error?.message ?? ''}`);
}
