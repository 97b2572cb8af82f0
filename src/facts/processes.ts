import { processText } from '../base/process-text.ts';

/** `nginx (pid 812)` of the labels of a series. */
export function processOf(labels: Readonly<Record<string, string>>): string {
  return processText({ comm: labels['comm'] ?? '', pid: labels['pid'] ?? '' });
}
