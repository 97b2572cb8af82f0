/** `nginx (pid 812)`: how a process is named wherever one is. */
export function processText({ comm, pid }: { readonly comm: string; readonly pid: string | number }): string {
  return `${comm} (pid ${pid})`;
}

/** The same of the labels of a series. */
export function processOf(labels: Readonly<Record<string, string>>): string {
  return processText({ comm: labels['comm'] ?? '', pid: labels['pid'] ?? '' });
}
