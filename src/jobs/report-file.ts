import { readFileGuarded, readStart } from '../base/file.ts';
import { parseJson } from '../base/json.ts';
import { UsageError } from '../base/usage.ts';
import type { Report } from '../generated/report.ts';

/** A report of any kind and size made by pktcost is below this. */
const MOST_REPORT_BYTES = 64 * 1024 * 1024;

/**
 * The JSON report in a file; undefined where it is something else. By its first character; what is called .json and is none
 * must be told so, and not that it is no archive.
 * @throws UsageError for JSON that is no report
 */
export async function givenReport(path: string): Promise<Report | undefined> {
  const start = readStart(path, 64);
  if (!start.ok) return undefined;
  if (!path.endsWith('.json') && !Buffer.from(start.value).toString('utf8').trimStart().startsWith('{'))
    return undefined;
  const bytes = readFileGuarded(path, MOST_REPORT_BYTES);
  const parsed = bytes.ok ? parseJson(bytes.value) : bytes;
  if (!parsed.ok) throw new UsageError(`${path}: ${parsed.reason}`);
  const { value } = parsed;
  const { validateReport } = await import('../generated/validate.ts');
  if (validateReport(value)) return value;
  const [error] = validateReport.errors ?? [];
  throw new UsageError(`${path}: not a pktcost report: ${error?.instancePath ?? ''}: ${error?.message ?? ''}`);
}
